// The SNR slider: choose a class, drag the label, see the signal drown. Data and the picture without
// script come from foqus_lib/report/snr_slider.py. Needs draw.js.
document.addEventListener("DOMContentLoaded", () => {
  const { node, bytes, signal, replaceStill } = foqusDraw;

  for (const box of document.querySelectorAll(".foqus-snr")) {
    const spec = JSON.parse(box.dataset.spec), iq = bytes(spec.iq), L = spec.samples, levels = spec.levels;
    const names = node("select", { name: "class" }, ...spec.classes.map(name => node("option", name === spec.shown ? { selected: "" } : {}, name)));
    const range = node("input", { type: "range", name: "snr", min: 0, max: levels.length - 1, step: 1, value: levels.length - 1 });
    const output = node("output"), said = node("p", { class: "words" }), detail = node("div", { class: "detail" });
    const form = node("form", { class: "controls" }, node("label", {}, "class ", names), node("label", {}, "SNR label ", output, range));

    function draw() {
      const y = spec.classes.indexOf(names.value), s = Number(range.value), level = `${levels[s]} dB`;
      const first = (y * levels.length + s) * 2;
      const at = (channel, n) => iq[(first + channel) * L + n] / 127;
      output.textContent = level;
      range.setAttribute("aria-valuetext", level);
      said.textContent = `${names.value} at an SNR label of ${level}, ${L} samples, mean power 1.`;
      box.dataset.at = JSON.stringify([y, s]);
      detail.replaceChildren(...signal(at, L), said);
    }

    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("input", draw);
    draw();
    replaceStill(box, form, detail);
  }
});

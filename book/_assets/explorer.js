// The score explorer: controls, a map of all signals by class and SNR, and the signal one points at.
// Needs draw.js and explorer_scores.js; data and the picture without script come from foqus_lib/report/explorer.py.
document.addEventListener("DOMContentLoaded", () => {
  const { node, bytes, signal, replaceStill } = foqusDraw;
  const CONTROLS = [
    ["beta", "beta of Eq. 7", 0, 1, 0.05], ["percent", "rate (%)", 1, 50, 1],
    ["top", "share, top tier", 0, 10, 1], ["middle", "share, middle tier", 0, 10, 1], ["bottom", "share, bottom tier", 0, 10, 1],
  ];

  for (const box of document.querySelectorAll(".foqus-explorer")) {
    const spec = JSON.parse(box.dataset.spec);
    const iq = bytes(spec.iq);
    const counted = spec.right.map(foqusScores.counts), T = spec.right[0].length;
    const start = spec.expected[0];
    let now, chosen = 0;

    // ---- controls
    const form = node("form", { class: "controls" });
    form.addEventListener("submit", e => e.preventDefault());
    const reading = node("select", { name: "reading" }, ...["as printed", "min-max"].map(r => node("option", {}, r)));
    form.append(node("label", {}, "Eq. 8 ", reading));
    const begin = { beta: start.beta, percent: start.percent, top: start.parts[0], middle: start.parts[1], bottom: start.parts[2] };
    const ranges = {}, outputs = {};
    for (const [name, words, min, max, step] of CONTROLS) {
      ranges[name] = node("input", { type: "range", name, min, max, step, value: begin[name] });
      outputs[name] = node("output");
      form.append(node("label", {}, `${words} `, outputs[name], ranges[name]));
    }
    const value = name => Number(ranges[name].value);

    // ---- the map: a button a signal, one of them in the order of Tab, arrows between them
    const levels = [...new Set(spec.snr)].sort((a, b) => a - b);
    const table = node("table", { class: "map" }, node("caption", {}, "Signals by class and SNR (dB)"));
    table.append(node("thead", {}, node("tr", {}, node("td"), ...levels.map(s => node("th", { scope: "col" }, String(s))))));
    const body = node("tbody"), dots = [];
    spec.classes.forEach((name, y) => {
      const row = node("tr", {}, node("th", { scope: "row" }, name));
      for (const level of levels) {
        const cell = node("td");
        spec.label.forEach((label, i) => {
          if (label !== y || spec.snr[i] !== level) return;
          dots[i] = node("button", { type: "button", tabindex: -1, "data-row": i });
          cell.append(dots[i]);
        });
        row.append(cell);
      }
      body.append(row);
    });
    table.append(body);
    const places = [...body.querySelectorAll("button")];   // in the order in which they are read
    const rowOf = e => e.closest("tr").rowIndex, columnOf = e => e.closest("td").cellIndex;
    const beside = (from, down) => places.filter(e => columnOf(e) === columnOf(from) && rowOf(e) === rowOf(from) + down)[0];
    const steps = {
      ArrowRight: e => places[places.indexOf(e) + 1], ArrowLeft: e => places[places.indexOf(e) - 1],
      ArrowDown: e => beside(e, 1), ArrowUp: e => beside(e, -1), Home: () => places[0], End: () => places.at(-1),
    };
    body.addEventListener("keydown", event => {
      const to = steps[event.key]?.(event.target);
      if (!to) return;
      event.preventDefault();
      point(Number(to.dataset.row));
      to.focus();
    });
    body.addEventListener("click", event => { if (event.target.matches("button")) point(Number(event.target.dataset.row)); });

    // ---- what is said of the coreset, and of the chosen signal
    const said = node("p", { role: "status" });
    const detail = node("div", { class: "detail" });
    const mean = of => now.picks.reduce((sum, i) => sum + of(i), 0) / (now.picks.length || 1);

    function describe(i) {
      const [f, e, r] = counted[i];
      return `${spec.classes[spec.label[i]]}, ${spec.snr[i]} dB, tier ${now.tier[i]}, ${now.kept.has(i) ? "kept" : "left"}; `
        + `score ${now.score[i].toFixed(3)}, right ${r} of ${T}, forgotten ${f}, persistent ${e}, mean loss ${(spec.loss[i] / T).toFixed(2)} nats`;
    }

    const drawn = i => signal((channel, n) => iq[(2 * i + channel) * spec.samples + n] / 127, spec.samples);

    function point(i) {
      dots[chosen].tabIndex = -1;
      dots[chosen].removeAttribute("aria-current");
      chosen = i;
      dots[i].tabIndex = 0;
      dots[i].setAttribute("aria-current", "true");
      const record = spec.right[i].replaceAll("1", "●").replaceAll("0", "×");
      detail.replaceChildren(...drawn(i), node("p", { class: "words" }, describe(i)),
        node("p", { class: "record" }, `Epochs 1 to ${T} (● right, × wrong): `, node("span", {}, record)));
    }

    function draw() {
      const parts = [value("top"), value("middle"), value("bottom")], all = parts[0] + parts[1] + parts[2];
      outputs.beta.textContent = value("beta").toFixed(2);
      outputs.percent.textContent = value("percent");
      ["top", "middle", "bottom"].forEach((name, j) => { outputs[name].textContent = all ? `${Math.round(100 * parts[j] / all)} %` : "0"; });
      if (!all) {
        said.textContent = "One share must be above 0.";
        return;
      }
      now = foqusScores.coreset(spec, { reading: reading.value, beta: value("beta"), parts, percent: value("percent") });
      now.kept = new Set(now.picks);
      box.dataset.picks = JSON.stringify(now.picks);
      dots.forEach((dot, i) => {
        dot.className = `tier${now.tier[i]}${now.kept.has(i) ? " kept" : ""}`;
        dot.setAttribute("aria-label", describe(i));
      });
      const inTier = [1, 2, 3].map(t => now.picks.filter(i => now.tier[i] === t).length);
      said.textContent = `${now.picks.length} of ${spec.label.length} signals: ${inTier[0]} of tier 1, ${inTier[1]} of tier 2, ${inTier[2]} of tier 3. `
        + `Mean SNR ${mean(i => spec.snr[i]).toFixed(1)} dB, right in ${mean(i => 100 * counted[i][2] / T).toFixed(0)} % of epochs, `
        + `mean loss ${mean(i => spec.loss[i] / T).toFixed(2)} nats.`;
      point(chosen);
    }

    form.addEventListener("input", draw);
    const key = node("p", { class: "key" }, "Filled: kept. Outlined: left. Top tier ", node("span", { class: "tier1 kept" }), ", middle ", node("span", { class: "tier2 kept" }),
      ", bottom ", node("span", { class: "tier3 kept" }), ". Choose a signal with the pointer, or with Tab and the arrow keys.");
    chosen = Number(places[0].dataset.row);
    draw();
    replaceStill(box, node("p", { class: "about" }, spec.about), form, said, key, node("div", { class: "output" }, table), detail);
  }
});

// A selection replayed: the picks of a method one after another, on the map of a class. Data and the
// picture without script come from foqus_lib/report/replay.py. Needs draw.js.
document.addEventListener("DOMContentLoaded", () => {
  const { node, svgNode, replaceStill } = foqusDraw;
  const PAUSE = 700;   // ms between two picks

  for (const box of document.querySelectorAll(".foqus-replay")) {
    const spec = JSON.parse(box.dataset.spec), methods = Object.keys(spec.methods);
    const choice = (name, words, list) => {
      const select = node("select", { name }, ...list.map(one => node("option", {}, one)));
      return [select, node("label", {}, `${words} `, select)];
    };
    const [method, methodLabel] = choice("method", "method", methods);
    const [kind, kindLabel] = choice("class", "class", spec.classes);
    const step = node("input", { type: "range", name: "step", min: 0, step: 1, value: 0 });
    const output = node("output"), play = node("button", { type: "button" }, "Play");
    const form = node("form", { class: "controls" }, methodLabel, kindLabel, node("label", {}, "pick ", output, step), node("div", {}, play));
    const said = node("p", { role: "status" }), map = node("div", { class: "map" }), held = node("p", { class: "key" });
    let timer = null;

    const picked = () => spec.methods[method.value][kind.selectedIndex];

    function words(now, at) {
      const { picks, radius, gap } = picked(), far = x => `${x.toFixed(2)} spreads`;
      if (now === 0) return `${method.value} has picked nothing yet.`;
      return `Pick ${now} of ${picks.length} by ${method.value}: a signal of ${at} dB. `
        + `The farthest signal is ${far(radius[now - 1])} from its nearest pick; the means are ${far(gap[now - 1])} apart.`;
    }

    function draw() {
      const y = kind.selectedIndex, { picks } = picked();
      step.max = picks.length;
      const now = Number(step.value), kept = picks.slice(0, now), newest = kept.at(-1);
      const place = n => ({ x: 100 * spec.at[y][n][0], y: -100 * spec.at[y][n][1] });
      const dot = (n, r, look) => svgNode("circle", { cx: place(n).x, cy: place(n).y, r, class: look });
      const order = new Map(kept.map((row, n) => [row, n + 1]));
      const tall = 15 + Math.max(25, ...spec.at[y].map(([, v]) => Math.abs(100 * v)));
      const svg = svgNode("svg", { viewBox: `-115 ${-tall} 230 ${2 * tall}`, role: "img",
        "aria-label": `${spec.classes[y]}: ${spec.at[y].length} signals, ${now} picked by ${method.value}` });
      spec.at[y].forEach((_, n) => svg.append(order.has(n) ? dot(n, 3, "kept") : dot(n, 1.8, "left")));
      kept.forEach(n => svg.append(svgNode("text", { x: place(n).x + 4, y: place(n).y - 3 }, String(order.get(n)))));
      if (now) svg.append(dot(newest, 6, "newest"));
      output.textContent = `${now} of ${picks.length}`;
      step.setAttribute("aria-valuetext", output.textContent);
      box.dataset.picks = JSON.stringify(kept);
      map.replaceChildren(svg);
      said.textContent = words(now, now ? spec.snr[y][newest] : 0);
      held.textContent = `Grey: the signals of the class. Filled and numbered: picked. Ring: the newest pick. The map holds `
        + `${Math.round(100 * spec.held[y])} % of the variance of this class's embeddings; distances are taken in all of them.`;
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
      said.setAttribute("aria-live", "polite");
    }

    function forward() {
      step.value = Number(step.value) + 1;
      draw();
      if (Number(step.value) >= Number(step.max)) stop();
    }

    play.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(step.value) >= Number(step.max)) step.value = 0;
      play.textContent = "Pause";
      said.setAttribute("aria-live", "off");   // a line each time would be read on and on
      timer = setInterval(forward, PAUSE);
      forward();
    });
    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("input", () => { stop(); draw(); });
    draw();
    replaceStill(box, node("p", { class: "about" }, spec.about), form, said, map, held);
  }
});

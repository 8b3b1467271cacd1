// What the pages' own scripts share: elements, samples from bytes, a signal over time and in the plane.
window.foqusDraw = (() => {
  "use strict";
  const COLOURS = ["#0173b2", "#de8f05"];   // I, Q

  const svgNode = (name, attributes, ...inside) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    e.append(...inside);
    return e;
  };

  const node = (name, attributes = {}, ...inside) => {
    const e = document.createElement(name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    e.append(...inside);
    return e;
  };

  const bytes = text => Int8Array.from(atob(text), c => c.charCodeAt(0));

  // at(channel, n) is a sample in -1..1; gives two pictures
  function signal(at, L) {
    const wave = svgNode("svg", { viewBox: "0 0 320 120", class: "wave", role: "img", "aria-label": `I (solid) and Q (dashed) over ${L} samples` });
    const plane = svgNode("svg", { viewBox: "-1.1 -1.1 2.2 2.2", class: "plane", role: "img", "aria-label": "The same samples in the I/Q plane" });
    plane.append(svgNode("path", { d: "M-1.1 0H1.1M0 -1.1V1.1", stroke: "#808080", "stroke-width": 0.01 }));
    for (const channel of [0, 1]) {
      const points = Array.from({ length: L }, (_, n) => `${(n / (L - 1) * 320).toFixed(1)},${(60 - 55 * at(channel, n)).toFixed(1)}`).join(" ");
      wave.append(svgNode("polyline", { points, fill: "none", stroke: COLOURS[channel], "stroke-width": 1.5, ...(channel ? { "stroke-dasharray": "4 3" } : {}) }));
    }
    for (let n = 0; n < L; n++) plane.append(svgNode("circle", { cx: at(0, n), cy: -at(1, n), r: 0.03, fill: COLOURS[0] }));
    return [wave, plane];
  }

  // a script draws in place of the picture that stands there without it
  const replaceStill = (box, ...inside) => {
    for (const still of [...box.children]) still.hidden = true;
    box.prepend(...inside);
  };

  return { svgNode, node, bytes, signal, replaceStill };
})();

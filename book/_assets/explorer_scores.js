// FoQuS in the browser: foqus_lib.selection.foqus, .tiers and .budget once more, number for number.
// Chance comes from the library as positions (foqus_lib/report/explorer.py); tests compare the picks.
(function (root) {
  "use strict";

  // Eqs. 4 to 6 of one record of T characters, 1 for right: forgetting, persistent error, right
  function counts(right) {
    let f = 0, e = 0, r = 0;
    for (let t = 0; t < right.length; t++) {
      r += right[t] === "1";
      if (t > 0 && right[t] === "0") right[t - 1] === "1" ? f++ : e++;
    }
    return [f, e, r];
  }

  // Eq. 7 less what Eq. 8 adds, and Eq. 8 as printed: foqus.foqus_score
  function printed(counted, loss, T, beta) {
    return counted.map(([f, e, r], i) => (T * f + T * e + (T - 1) * r) / (T * (T - 1)) - beta * loss[i] / T);
  }

  // Eq. 8, each term scaled to 0..1 over all signals: foqus.foqus_score_min_max
  function minMax(counted, loss, T, beta) {
    const whole = [0, 1].map(k => counted.map(one => one[k])).map(x => x.map(v => v - Math.min(...x)))
      .map(x => [x, Math.max(...x)]).filter(([, most]) => most > 0);
    const common = whole.reduce((product, [, most]) => product * most, 1);
    const q = counted.map(([, , r], i) => r / T - beta * loss[i] / T);
    const low = Math.min(...q), high = Math.max(...q), range = high > low ? high - low : 1;
    return q.map((v, i) => whole.reduce((sum, [x, most]) => sum + x[i] * (common / most), 0) / common + (v - low) / range);
  }

  function scores(spec, how) {
    const counted = spec.right.map(counts), T = spec.right[0].length;
    return (how.reading === "min-max" ? minMax : printed)(counted, spec.loss, T, how.beta);
  }

  // budget.apportion with equal shares: what a full part cannot hold goes to the others
  function equalQuotas(budget, ceilings) {
    const quota = [...ceilings];
    let rest = budget, free = ceilings.map((_, j) => j), full;
    while ((full = free.filter(j => rest >= ceilings[j] * free.length)).length) {
      rest -= full.reduce((sum, j) => sum + ceilings[j], 0);
      free = free.filter(j => !full.includes(j));
    }
    free.forEach((j, place) => { quota[j] = Math.floor(rest / free.length) + (place < rest % free.length); });
    return quota;
  }

  // budget.turns: the part that is furthest behind its share gets the next place
  function turns(budget, weights, ceilings) {
    const got = ceilings.map(() => 0), order = [];
    let free = ceilings.map((_, j) => j).filter(j => ceilings[j] > 0), placed = 0;
    while (order.length < budget) {
      const live = free.some(j => weights[j]) ? weights : weights.map(() => 1);
      const total = free.reduce((sum, j) => sum + live[j], 0);
      const behind = j => (placed + 1) * live[j] - got[j] * total;
      const part = free.reduce((best, j) => behind(j) > behind(best) ? j : best);
      order.push(part);
      got[part]++;
      placed++;
      if (got[part] === ceilings[part]) {
        free = free.filter(j => j !== part);
        placed -= got[part];
      }
    }
    return order;
  }

  // Algorithm 1, lines 10-12, inside each class -> { score, tier (1, 2, 3), picks (rows, ascending) }
  function coreset(spec, how) {
    const score = scores(spec, how), tier = score.map(() => 0), picks = [];
    const quotas = equalQuotas(Math.floor((how.percent * score.length + 50) / 100), spec.draws.map(d => d.rows.length));
    spec.draws.forEach(({ rows, shuffle, tiers }, which) => {
      const order = shuffle.map(p => rows[p]).sort((a, b) => score[b] - score[a]);   // stable
      let first = 0;
      const drawn = tiers.map((positions, number) => {
        const part = order.slice(first, first += positions.length);
        part.forEach(row => { tier[row] = number + 1; });
        return positions.map(p => part[p]);
      });
      const next = [0, 0, 0];
      for (const part of turns(quotas[which], how.parts, drawn.map(d => d.length))) picks.push(drawn[part][next[part]++]);
    });
    return { score, tier, picks: picks.sort((a, b) => a - b) };
  }

  root.foqusScores = { counts, coreset };
  if (typeof module !== "undefined") module.exports = root.foqusScores;
})(typeof window === "undefined" ? globalThis : window);

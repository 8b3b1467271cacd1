"""Every selector against its plain form, and how its cost grows. Same picks, checked as it runs.

    python benchmarks/selection.py --quick     20,000 signals, minutes
    python benchmarks/selection.py             also 88,000, growth, and 844,800 alone, once; an hour
    python benchmarks/selection.py --only largest
    python benchmarks/selection.py --only bars                  the bars at 88,000, three rounds
    python benchmarks/selection.py --only bars --signals 8800   the same, small

The plain form is `plain_selectors`. Both run through `foqus_lib.selection.methods`, on the same
simulated evidence: classes are Gaussian clouds, D = 128, of full rank or, as the embedding of
CNN1D, of rank 64. Memory is kept, as in the workers of a sweep. Written to book/results/benchmarks:
selectors.csv, selector_growth.csv, selectors_largest.csv and selector_bars.csv, in
which rows of other machines stay. Seconds are medians
of the rounds, `ratio` is the median of the plain form's CPU seconds over ours; `same_picks` is the
share of picks in common (the plain form sums in float32); `peak_mb` the growth of the largest
resident size while selecting; `process_mb` that size itself, data and libraries included.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import measure
import numpy as np

FIVE = "0.01+0.05+0.1+0.2+0.3"  # the paper's rates
OURS, PLAIN = "ours", "plain"
ROUNDS = 3
UNCERTAIN = ("Least Confidence", "Entropy", "Margin")
GREEDY = ("k-Center Greedy", "CD", "Herding")
SCORED = ("Cal", "Cal (in class)", "GraNd", *UNCERTAIN)
BALANCED = (*GREEDY, "Cal (in class)", "GraNd", *UNCERTAIN)
BARS = (  # selector, rate, times the plain form that are wanted
    ("Herding", "0.1", 12),
    ("Herding", "0.3", 15),
    ("k-Center Greedy", "0.1", 20),
    ("Cal (in class)", "0.1", None),
)


def simulated(n: int, classes: int, epochs: int, width: int, rank: int):
    """Evidence of Gaussian classes, and the early embedding whose norm it keeps.

    An embedding of lower rank is a linear layer's, from `rank` numbers to `width`, in float32.
    """
    from foqus_lib.evidence import Evidence

    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    label = np.arange(n) % classes
    embedding = normal(n, rank)
    for y, mean in enumerate(normal(classes, rank)):
        embedding[y::classes] += mean
    if rank < width:
        embedding = embedding @ normal(rank, width) / np.float32(rank) ** 0.5 + normal(width)
    evidence = Evidence(
        label=label,
        snr=np.zeros(n, np.float32),
        correct=rng.random((epochs, n), dtype=np.float32) < 0.7,
        loss=rng.random((epochs, n), dtype=np.float32),
        logits=2 * normal(n, classes),
        embedding=embedding,
        logits_early=normal(1, n, classes),
        embedding_norm_early=np.linalg.norm(embedding, axis=1)[None],
    )
    return evidence, embedding


def plain_method(name: str, early: np.ndarray):
    """The plain form as a method: it sees the same shuffled pools as ours."""
    import plain_selectors as plain
    import torch

    from foqus_lib.selection.methods import descending, pool_by_pool, top_k

    def tensor(array):
        return torch.from_numpy(array)

    def placed(data, rule):
        def keep(rows, budget, rng):
            rows = rng.permutation(rows)
            return rows[rule(tensor(data[rows]), budget)]

        return pool_by_pool(keep)

    def in_pool(evidence):
        def keep(rows, budget, rng):
            score = np.zeros(len(evidence))
            p = tensor(evidence.logits[rows]).softmax(1)
            score[rows] = plain.cal_scores(tensor(evidence.embedding[rows]), p, 10).numpy()
            return descending(score, rows, rng)[:budget]

        return pool_by_pool(keep)

    def spread(x, budget):
        return plain.k_center(x.softmax(1), budget, 0, plain.symmetric_kl)

    def grand(evidence):
        logits, label = tensor(evidence.logits_early[0]), tensor(evidence.label)
        return plain.grand_scores(logits, tensor(early), label).numpy()

    def doubt(evidence):
        return plain.uncertainty_scores(tensor(evidence.logits))[UNCERTAIN.index(name)].numpy()

    return {
        "k-Center Greedy": lambda e: placed(e.embedding, lambda x, b: plain.k_center(x, b, 0)),
        "CD": lambda e: placed(e.logits, spread),
        "Herding": lambda e: placed(e.embedding, plain.herding),
        "Cal": in_pool,
        "Cal (in class)": in_pool,
        "GraNd": top_k(grand),
    }.get(name, top_k(doubt))


def one(case: dict) -> dict:
    """CPU seconds, wall seconds and peak of one selection, in this process."""
    import torch

    from foqus_lib.selection.budget import budget_of
    from foqus_lib.selection.catalog import method_named
    from foqus_lib.selection.methods import coresets, one_pool

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    n = int(case["signals"])
    sizes = (int(case[axis]) for axis in ("classes", "epochs", "width", "rank"))
    evidence, early = simulated(n, *sizes)
    ours = case["formulation"] == OURS
    method = method_named(case["selector"]) if ours else plain_method(case["selector"], early)
    budgets = [budget_of(float(rate), n) for rate in case["rates"].split("+")]

    def select(wanted):
        rng = np.random.default_rng(1)
        if case["pools"] == "one pool":
            return [one_pool(method)(evidence, max(wanted), rng)]
        return coresets(method, evidence, wanted, rng)

    with measure.stopwatch() as spent:
        runs = [budgets] if ours else [[budget] for budget in budgets]
        kept = [rows for run in runs for rows in select(run)]
    np.save(case["picks"], kept[-1])
    return spent


def case_of(selector, pools, signals, classes, rates="0.1", epochs=2, width=128, rank=None) -> dict:
    return {
        "selector": selector, "pools": pools, "signals": signals, "classes": classes,
        "rates": rates, "epochs": epochs, "width": width, "rank": rank or width,
    }  # fmt: skip


def run(case: dict, formulation: str, threads: int = 1) -> tuple[dict, set]:
    """What one process of its own spent, and what it picked. It keeps memory as a worker does."""
    from foqus_lib.processes import CHILD

    env = CHILD | {"OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        picks = Path(folder) / "picks.npy"
        told = case | {"formulation": formulation, "picks": picks}
        spent = measure.child(__file__, *(f"{key}={value}" for key, value in told.items()), env=env)
        return spent, set(np.load(picks).tolist())


def row_of(case: dict, formulation: str, found: list[dict], threads: int = 1) -> dict:
    spent = {k: round(statistics.median(x[k] for x in found), 3) for k in ("cpu_s", "wall_s")}
    peaks = {k: round(max(x[k] for x in found)) for k in ("peak_mb", "process_mb")}
    counts = {"rounds": len(found), "threads": threads}
    return case | {"formulation": formulation, **spent, **peaks, **counts}


def show(row: dict, *more: str) -> None:
    print(
        f"{row['selector']:17} {row['pools']:9} {row['signals']:7} {row['rates']:22} "
        f"{row['formulation']:6} {row['cpu_s']:8.2f} CPU s {row['peak_mb']:6} MB",
        *more,
        flush=True,
    )


def compared(case: dict, rounds: int) -> list[dict]:
    """Two rows: ours and plain, in turn."""
    found = {OURS: [], PLAIN: []}
    picks = {}
    for _ in range(rounds):
        for formulation, results in found.items():
            spent, picks[formulation] = run(case, formulation)
            results.append(spent)
    same = len(picks[OURS] & picks[PLAIN]) / len(picks[OURS])
    seconds = {name: [x["cpu_s"] for x in results] for name, results in found.items()}
    ratio = round(measure.median_ratio(seconds[PLAIN], seconds[OURS]), 1)
    rows = []
    for formulation, results in found.items():
        row = row_of(case, formulation, results)
        of_ours = {"ratio": ratio, "same_picks": round(same, 4)}
        rows.append(row | (of_ours if formulation == OURS else {"ratio": 1, "same_picks": ""}))
        show(row)
    print(f"{'':17} x {ratio}, {100 * same:.1f} % of the picks are the same", flush=True)
    return rows


def comparisons(quick: bool) -> list[dict]:
    cases = [case_of(name, "balanced", 20_000, 11) for name in BALANCED]
    for name in ("k-Center Greedy", "Herding"):
        cases.append(case_of(name, "balanced", 20_000, 11, FIVE))
    cases += [case_of(name, "one pool", 20_000, 11) for name in ("Herding", "Cal")]
    if not quick:
        cases += [case_of(name, "balanced", 88_000, 11) for name in BALANCED]
    return [row for case in cases for row in compared(case, ROUNDS)]


def alone(names: list[str]) -> list[dict]:
    """The largest set of the paper, RML2018.01a at 10 dB and above, two threads."""
    rows = []
    for name in names:
        case = case_of(name, "balanced", 844_800, 24, epochs=50 if "F" in name else 2)
        spent, _ = run(case, OURS, threads=2)
        rows.append(row_of(case, OURS, [spent], 2))
        show(rows[-1], f"{spent['wall_s']:.0f} s")
    return rows


def growth(quick: bool) -> list[dict]:
    """Ours alone; one of N, k, T, D changes, the others stay: 11 classes, 22,000, 10 %, 10, 128."""
    names = (*GREEDY, "Cal", "Cal (in class)")
    sizes = (11_000, 22_000, 44_000) if quick else (11_000, 22_000, 44_000, 88_000)
    cases = [
        ("N", case_of(name, "balanced", n, 11))
        for name in names
        for n in sizes
        if name != "Cal" or n <= 44_000
    ]
    cases += [
        ("k", case_of(name, "balanced", 22_000, 11, rate))
        for name in GREEDY
        for rate in ("0.05", "0.1", "0.2", "0.3")
    ]
    cases += [
        ("D", case_of(name, "balanced", 22_000, 11, width=width))
        for name in ("k-Center Greedy", "Herding", "Cal (in class)")
        for width in (64, 128, 256, 512)
    ]
    cases += [
        ("T", case_of(name, "balanced", 88_000, 11, epochs=epochs))
        for name in ("Forgetting", "FoQuS")
        for epochs in (25, 50, 100)
    ]
    found = [[] for _ in cases]
    for number in range(ROUNDS):
        for (axis, case), spent in zip(cases, found, strict=True):
            spent.append(run(case, OURS)[0])
            show(row_of(case, OURS, spent[-1:]), f"along {axis}, round {number + 1}")
    return [
        {"axis": axis} | row_of(case, OURS, spent)
        for (axis, case), spent in zip(cases, found, strict=True)
    ]


def largest() -> list[dict]:
    from foqus_lib.selection.catalog import METHODS

    return alone([*(name for name in METHODS if name != "Cal"), "Cal (in class)"])


def bars(signals: int, rounds: int) -> list[dict]:
    """Ours against the plain form in turn, with an embedding of full rank and of rank 64."""
    rows = []
    for selector, rate, wanted in BARS:
        for rank in (128, 64):
            found = compared(case_of(selector, "balanced", signals, 11, rate, rank=rank), rounds)
            rows += [row | {"bar": wanted} for row in found]
            if wanted:
                met = "met" if found[0]["ratio"] >= wanted else "not met"
                print(f"{'':17} rank {rank}, {rate}: bar {wanted}, {met}", flush=True)
    return rows


PARTS = {"selectors": comparisons, "selector_growth": growth, "selectors_largest": largest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20,000 signals only: minutes")
    parser.add_argument("--only", choices=("selectors", "growth", "largest", "bars"))
    parser.add_argument("--signals", type=int, default=88_000, help="of the bars")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the bars")
    args = parser.parse_args()
    machine = {"machine": measure.machine()}
    if args.only == "bars":
        rows = [row | machine for row in bars(args.signals, args.rounds)]
        if args.signals == 88_000:
            measure.write("selector_bars", measure.of_others("selector_bars") + rows)
        return
    for name, part in PARTS.items():
        if args.only and not name.endswith(args.only) or args.quick and part is largest:
            continue
        rows = part() if part is largest else part(args.quick)
        measure.write(name, [row | machine for row in rows])


if __name__ == "__main__":
    if len(sys.argv) > 1 and "=" in sys.argv[1]:
        import json

        print(json.dumps(one(dict(pair.split("=", 1) for pair in sys.argv[1:]))))
    else:
        sys.path.insert(0, str(measure.ROOT))
        main()

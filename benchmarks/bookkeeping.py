"""What the engine costs around a training: CPU ms of a tiny trial, and of a row in a large table.

    python benchmarks/bookkeeping.py             five minutes
    python benchmarks/bookkeeping.py --only trial      two minutes
    python benchmarks/bookkeeping.py --quick     a minute: a tenth of the trials, one round

A trial of 20 made-up signals, one epoch, CNN1D: drawn, built, trained, tested and published by
`train_trials`; beside it the same steps of one network that is there already (forward, backward,
optimiser, test), published nowhere. The difference is what a trial costs whatever it trains. Then
`store.results` over many stored trials: each is opened, its SHA-256 checked, its key compared, and
the table made. Written to book/results/benchmarks/bookkeeping.csv.
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
from pathlib import Path

import measure

TRIALS, STORED, ROUNDS = 100, 100_000, 3
KEPT, TESTED, BATCH = 20, 40, 16
TRIAL, STEPS, AROUND, TABLE = "a tiny trial", "its steps alone", "around it", "a row of a table"


def bench(root: str):
    """The coreset study on 80 made-up signals of four classes."""
    import numpy as np

    from foqus_lib.datasets.catalog import Task
    from foqus_lib.signals import Signals
    from foqus_lib.studies.coreset.bench import Bench
    from foqus_lib.training.collect import Collection
    from foqus_lib.training.recipe import Recipe

    def noise(n: int) -> Signals:
        iq = np.random.default_rng(n).standard_normal((n, 2, 128), dtype=np.float32)
        return Signals(iq, np.arange(n) % 4, np.zeros(n, np.float32), tuple("abcd"))

    train, test = noise(4 * KEPT), noise(TESTED)
    task = Task("noise", True, train, test, np.arange(len(train)), "0" * 64, "made-up signals")
    once, twice = Recipe(epochs=1, batch=BATCH), Recipe(epochs=2, batch=BATCH)
    return Bench(task, Collection(twice, early_runs=1, early_epochs=1), once, Path(root), "cpu")


def grid(bench, count: int) -> list:
    """Uniform, a quarter kept, one seed after another."""
    from foqus_lib.experiment.settings import Common
    from foqus_lib.studies.coreset import grid

    common = Common(
        profile="smoke", dataset="noise", frames=0, snr_min=0.0, split="positional",
        normalise="native", train_share=0.0, val_share=0.0, data_seed=0, seeds=count,
        device="cpu", workers=1, memory_gb=0.0, scheduler="", results="nowhere",
    )  # fmt: skip
    options = grid.Options(
        methods=("Uniform",), ceilings=(), rates=(0.25,), selection_epochs=2,
        epochs=1, batch=BATCH, early_runs=1, early_epochs=1,
    )  # fmt: skip
    return grid.main_tables(common, options, bench.task)


def tiny_trial(root: str, count: int) -> dict:
    from foqus_lib.studies.coreset.run import train_trials

    of = bench(root)
    first, *others = grid(of, count + 1)
    train_trials(of, [first])  # what is imported and warmed up once
    with measure.stopwatch() as spent:
        train_trials(of, others)
    return spent


def steps_alone(root: str, count: int) -> dict:
    import torch
    from torch.nn import functional as F

    from foqus_lib.models import MODELS
    from foqus_lib.training.fit import initial

    of = bench(root)
    network = initial(MODELS["CNN1D"], 4, 128, ["one"]).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
    x, y = torch.from_numpy(of.task.train.iq), torch.from_numpy(of.task.train.label)
    tests = torch.from_numpy(of.task.test.iq)[:, None]

    def one() -> None:
        network.train()
        for rows in torch.arange(KEPT).split(BATCH):
            loss = F.cross_entropy(network.head(network.embed(x[rows][:, None]))[0], y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        network.eval()
        with torch.inference_mode():
            network.head(network.embed(tests))

    one()
    with measure.stopwatch() as spent:
        for _ in range(count):
            one()
    return spent


def table_row(root: str, count: int) -> dict:
    from foqus_lib.experiment import store
    from foqus_lib.experiment.provenance import provenance
    from foqus_lib.studies.coreset.grid import CORESET

    of = bench(root)
    facts = provenance(device="cpu", seconds=0.1, about=of.task.about)
    metrics = {"accuracy": 0.5, "kept": KEPT, "accuracy_by_snr": {f"{x}": 0.5 for x in range(10)}}
    for trial in grid(of, count):
        store.publish(of.root, trial, metrics, facts)
    fresh = grid(of, count)  # whose names nobody has computed yet
    with measure.stopwatch() as spent:
        found, table = store.results(of.root, CORESET, fresh)
    assert len(found.complete) == len(table) == count
    return spent


PARTS = {"trial": [TRIAL, STEPS], "table": [TABLE]}
CHILDREN = {TRIAL: tiny_trial, STEPS: steps_alone, TABLE: table_row}


def main(quick: bool, only: list[str]) -> None:
    counts = {TRIAL: TRIALS, STEPS: TRIALS, TABLE: STORED}
    counts = {what: count // 10 if quick else count for what, count in counts.items()}

    def run(what: str) -> dict:
        return measure.child(__file__, what, counts[what])

    found = measure.in_turn(only, run, 1 if quick else ROUNDS)
    ms = {
        what: [1000 * one["cpu_s"] / counts[what] for one in rounds]
        for what, rounds in found.items()
    }
    if TRIAL in ms:
        ms[AROUND] = [whole - steps for whole, steps in zip(ms[TRIAL], ms[STEPS], strict=True)]
    rows = _kept_of_others(ms)
    for what, each in ms.items():
        middle = statistics.median(each)
        print(f"{what:20s} {middle:8.3f} CPU ms   {min(each):.3f} to {max(each):.3f}")
        rows.append(
            {
                "what": what,
                "count": counts.get(what, counts[TRIAL]),
                "cpu_ms": f"{middle:.3f}",
                "least": f"{min(each):.3f}",
                "most": f"{max(each):.3f}",
                "rounds": len(each),
                "machine": measure.machine(),
            }
        )
    measure.write("bookkeeping", rows)


def _kept_of_others(measured: dict) -> list[dict]:
    """The rows of an earlier run that this one did not measure."""
    path = measure.RESULTS / "bookkeeping.csv"
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["what"] not in measured]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in CHILDREN:
        with tempfile.TemporaryDirectory(prefix="foqus-bookkeeping-") as folder:
            print(json.dumps(CHILDREN[sys.argv[1]](folder, int(sys.argv[2]))))
    else:
        asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        asked.add_argument("--quick", action="store_true", help="a tenth of it, once")
        asked.add_argument("--only", choices=PARTS, help="one of the two")
        asked = asked.parse_args()
        main(asked.quick, PARTS[asked.only] if asked.only else list(CHILDREN))

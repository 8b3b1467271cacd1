"""The seconds of one block of Table I, ours against DeepCore's flow, and where ours go.

    python benchmarks/end_to_end.py             half an hour of one core
    python benchmarks/end_to_end.py --frames 25 --epochs 8      four times that
    python benchmarks/end_to_end.py --quick     a minute: two methods, nothing to quote

11 methods x 5 rates x 3 seeds, CNN1D, simulated RML2016.10a-like signals, fewer of them and fewer
epochs than the paper's so that DeepCore's flow ends. A seed is a round: each flow runs it in a
process of its own, one thread, one after another. Imports and the making of the signals, equal for
all, are not counted.

Written to book/results/benchmarks/: end_to_end.csv, end_to_end_shares.csv and end_to_end_paper.csv,
which is an estimate: the visits of the paper's sizes times measured seconds a visit.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import mean, median

import numpy as np
from measure import child, in_turn, median_ratio, stopwatch, write, write_numbers

THEIRS, OURS, BF16 = "DeepCore-style flow", "ours", "ours, targets in bf16"
FLOWS = (THEIRS, OURS, BF16)
ROUNDS = 3  # of the seconds a visit
RATES = [0.01, 0.05, 0.1, 0.2, 0.3]
SIZE = {"frames": 12, "epochs": 4, "batch": 32, "rates": RATES, "methods": 11, "seeds": 3}
QUICK = {"frames": 5, "epochs": 2, "batch": 32, "rates": [0.1], "methods": 2, "seeds": 1}
PAPER = {"N": 44_000, "tests": 11_000, "T": 50, "methods": 11, "rates": sum(RATES), "seeds": 3}

# Which call of which module is which part of a sweep; the rest is "everything else".
PARTS = {
    ("foqus_lib.training.collect", "fit"): "selection training",
    ("foqus_lib.training.collect", "logits_of"): "recording",
    ("foqus_lib.training.collect", "predict"): "recording",
    ("foqus_lib.studies.coreset.run", "fit"): "training on coresets",
    ("foqus_lib.studies.coreset.run", "logits_of"): "tests",
    ("foqus_lib.studies.coreset.draw", "coresets"): "selection",
    ("foqus_lib.experiment.store", "publish"): "results store",
    ("foqus_lib.experiment.store", "scan"): "results store",
    ("foqus_lib.experiment.artifacts", "save_arrays"): "results store",
    ("foqus_lib.experiment.artifacts", "find_arrays"): "results store",
}
REST = "everything else"


def methods_of(size: dict) -> list[str]:
    from foqus_lib.selection.catalog import METHODS

    table_one = [name for name in METHODS if name != "FoQuS (min-max)"][:11]
    return table_one if size["methods"] == 11 else ["GraNd", "FoQuS"]


def one_flow(flow: str, seed: int, size: dict) -> dict:
    """In a child: CPU seconds of one flow for one seed, its accuracies, ours also by part."""
    import torch

    from foqus_lib.datasets.catalog import prepare
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    task = prepare(
        "RML2016.10a-like", snr_min=10, split="positional", normalise="rms", train_share=0.8,
        frames=size["frames"], seed=0,
    )  # fmt: skip
    recipe = Recipe(epochs=size["epochs"], batch=size["batch"])
    if flow == THEIRS:
        from deepcore_flow import flow as deepcore

        with stopwatch() as spent:
            rows = list(deepcore(task, "CNN1D", methods_of(size), size["rates"], seed, recipe))
        accuracies, parts = [row["last"] for row in rows], {}
    else:
        targets = replace(recipe, precision="bf16" if flow == BF16 else "fp32")
        spent_in = _timed_parts()
        with stopwatch() as spent:
            accuracies = _sweep(task, recipe, targets, seed, size)
        parts = spent_in()
        parts[REST] = spent["cpu_s"] - sum(parts.values())
    about = {"cells": len(accuracies), "train": len(task.train), "parts": parts}
    return spent | about | {"accuracy": mean(accuracies)}


def _sweep(task, selection, evaluation, seed: int, size: dict) -> list[float]:
    """The library's own sweep into a store of its own."""
    from foqus_lib.experiment.store import frame
    from foqus_lib.experiment.sweep import sweep
    from foqus_lib.studies.coreset import grid
    from foqus_lib.studies.coreset.bench import Bench

    options = grid.Options(
        methods=tuple(methods_of(size)), rates=tuple(size["rates"]), early_runs=10, early_epochs=1,
        selection_epochs=selection.epochs, epochs=evaluation.epochs, batch=evaluation.batch,
        precision=evaluation.precision,
    )  # fmt: skip
    trials = [
        grid.trial(task, options, "CNN1D", "CNN1D", method, points, seed, 0)
        for method in options.methods
        for points, _ in options.budgets
    ]
    with tempfile.TemporaryDirectory() as folder:
        how = options.collection, options.evaluation
        sweep(grid.CORESET, Bench(task, *how, Path(folder), "cpu"), trials)
        return list(frame(Path(folder), grid.CORESET, trials).accuracy)


def _timed_parts():
    """Wrap the functions of PARTS; the result gives CPU seconds by part, inner calls taken out."""
    import importlib

    spent, inside, last = Counter(), [REST], [time.process_time()]

    def switch() -> None:
        now = time.process_time()
        spent[inside[-1]] += now - last[0]
        last[0] = now

    def timed(function, part):
        def call(*arguments, **named):
            switch()
            inside.append(part)
            try:
                return function(*arguments, **named)
            finally:
                switch()
                inside.pop()

        return call

    for (module, name), part in PARTS.items():
        home = importlib.import_module(module)
        setattr(home, name, timed(getattr(home, name), part))
    return lambda: {part: seconds for part, seconds in spent.items() if part != REST}


def seconds_a_visit(flow: str, size: dict) -> dict:
    """In a child: CPU seconds of one training visit and one test visit, batch 128."""
    import torch
    from plain_loop import Recordings, evaluate, fresh, train

    from foqus_lib.datasets.simulated import like_rml2016
    from foqus_lib.models import MODELS
    from foqus_lib.processes import keep_memory
    from foqus_lib.signals import rms
    from foqus_lib.training.fit import fit
    from foqus_lib.training.predict import predict
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    frames = 8 if size["methods"] < 11 else 50
    signals = rms(like_rml2016.generate((10, 12, 14, 16, 18), frames, seed=0))
    recipe = Recipe(epochs=2, precision="bf16" if flow == BF16 else "fp32")
    if flow == THEIRS:
        network, data = fresh("CNN1D", 11, 128, "a"), Recordings(signals)
        calls = lambda: train(network, data, recipe), lambda: evaluate(network, data)  # noqa: E731
    else:
        keep_memory()  # as a sweep does
        rows = [np.arange(len(signals))]
        network = fit(MODELS["CNN1D"], signals, rows, ["a"], replace(recipe, epochs=1)).networks[0]
        calls = (
            lambda: fit(MODELS["CNN1D"], signals, rows, ["a"], recipe),
            lambda: predict(network, signals),
        )
    found = {}
    for call, what, visits in zip(calls, ("train", "test"), (2, 1), strict=True):
        call()
        with stopwatch() as spent:
            call()
        found[what] = spent["cpu_s"] / (visits * len(signals))
    return found


def seconds_of_selection(size: dict) -> dict:
    """In a child: CPU seconds of every method, all rates, one seed, at the paper's N."""
    from foqus_lib.evidence import Evidence
    from foqus_lib.studies.coreset.draw import draw

    n, epochs = (1100, 10) if size["methods"] < 11 else (PAPER["N"], PAPER["T"])
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    label = np.arange(n) % 11
    centre = normal(11, 128)
    record = Evidence(
        label=label, snr=np.full(n, 10, np.float32), correct=rng.random((epochs, n)) < 0.7,
        loss=rng.exponential(size=(epochs, n)).astype(np.float32), logits=3 * normal(n, 11),
        embedding=centre[label] + normal(n, 128), logits_early=normal(10, n, 11),
        embedding_norm_early=np.abs(normal(10, n)),
    )  # fmt: skip
    found = {}
    for method in methods_of(SIZE):
        with stopwatch() as spent:
            draw("made up", record, "CNN1D", method, RATES, 0)
        found[method] = spent["cpu_s"]
    return found


def main(size: dict) -> None:
    def run(flow: str) -> dict:
        seed = len(found[flow])
        result = child(__file__, "flow", flow, seed, json.dumps(size))
        found[flow].append(result)
        print(f"seed {seed}: {flow:24} {result['cpu_s']:7.1f} CPU s, mean accuracy "
              f"{result['accuracy']:.3f}", flush=True)  # fmt: skip
        return result

    found = {flow: [] for flow in FLOWS}
    for _ in range(size["seeds"]):
        in_turn(FLOWS, run, rounds=1)
        _keep("end_to_end", _totals(found, size), size)  # every round: a stopped run leaves these
        _keep("end_to_end_shares", _shares(found), size)
    _keep("end_to_end_paper", _paper(size), size)
    if size["methods"] == 11:
        write_numbers("end_to_end", {"size": size} | _numbers(found))


def _numbers(found: dict[str, list[dict]]) -> dict:
    """{flow: ratio and seconds}, and the parts of ours as shares, for the book's text."""
    theirs, ours = ([result["cpu_s"] for result in found[flow]] for flow in (THEIRS, OURS))
    bf16 = [result["cpu_s"] for result in found[BF16]]
    parts = {part: sum(result["parts"].get(part, 0.0) for result in found[OURS])
             for part in (*dict.fromkeys(PARTS.values()), REST)}  # fmt: skip
    return {
        "seeds": len(ours),
        "ratio": {"fp32": median_ratio(theirs, ours), "bf16": median_ratio(theirs, bf16)},
        "share": {part: seconds / sum(ours) for part, seconds in parts.items()},
    }


def _keep(name: str, rows: list[dict], size: dict) -> None:
    for row in rows:
        print("  ".join(str(value) for value in row.values()))
    if size["methods"] == 11:
        write(name, rows)


def _totals(found: dict[str, list[dict]], size: dict) -> list[dict]:
    theirs = [result["cpu_s"] for result in found[THEIRS]]
    return [
        {
            "flow": flow,
            "train signals": results[0]["train"],
            "epochs": size["epochs"],
            "cells": sum(result["cells"] for result in results),
            "CPU s": f"{sum(result['cpu_s'] for result in results):.1f}",
            "times faster": f"{median_ratio(theirs, [r['cpu_s'] for r in results]):.1f}",
            "mean accuracy": f"{mean(result['accuracy'] for result in results):.3f}",
            "seeds": len(results),
        }
        for flow, results in found.items()
    ]


def _shares(found: dict[str, list[dict]]) -> list[dict]:
    rows = []
    for flow in (OURS, BF16):
        total = sum(result["cpu_s"] for result in found[flow])
        for part in (*dict.fromkeys(PARTS.values()), REST):
            seconds = sum(result["parts"].get(part, 0.0) for result in found[flow])
            rows.append({"flow": flow, "part": part, "CPU s": f"{seconds:.2f}",
                         "share": f"{seconds / total:.1%}"})  # fmt: skip
    return rows


def _paper(size: dict) -> list[dict]:
    """Hours of the block at the paper's sizes: visits x seconds a visit. An estimate.

    The flows take turns, ROUNDS times: hours are medians, and what is compared is the ratio within
    a round.
    """
    arguments = json.dumps(size)
    rounds = 1 if size["methods"] < 11 else ROUNDS
    cost = in_turn(FLOWS, lambda flow: child(__file__, "visit", flow, 0, arguments), rounds)
    selecting = median(
        sum(child(__file__, "selection", OURS, 0, arguments).values()) for _ in range(rounds)
    )
    hours = {flow: [] for flow in FLOWS}  # of each round, by part
    for turn in range(rounds):
        here = {flow: cost[flow][turn] for flow in FLOWS}
        for flow in FLOWS:
            hours[flow].append(_hours(flow, here, selecting))
    whole = {flow: [sum(parts.values()) for parts in found] for flow, found in hours.items()}
    rows = []
    for flow, found in hours.items():
        total = median(whole[flow])
        by_part = {part: median(one[part] for one in found) for part in found[0]}
        rows += [
            {"flow": flow, "part": part, "core hours, estimated": f"{value:.2f}",
             "share": f"{value / total:.1%}", "times faster": "", "rounds": rounds}
            for part, value in (by_part | {"all": total}).items()
        ]  # fmt: skip
        rows[-1]["times faster"] = f"{median_ratio(whole[THEIRS], whole[flow]):.1f}"
    return rows


def _hours(flow: str, cost: dict[str, dict], selecting: float) -> dict[str, float]:
    """Core hours of each part, from {flow: {"train" or "test": seconds a visit}}."""
    p, ours = PAPER, flow != THEIRS
    selection = p["seeds"] * p["N"] * p["T"] * (2 if ours else 19 * len(RATES))  # ours: GraNd's too
    evidence = cost[OURS] if ours else cost[flow]  # never in bf16
    targets = p["methods"] * p["seeds"] * p["rates"] * p["N"] * p["T"]
    tests = p["methods"] * p["seeds"] * len(RATES) * p["tests"] * (1 if ours else p["T"])
    seconds = {
        "selection training": selection * evidence["train"],
        "training on coresets": targets * cost[flow]["train"],
        "tests": tests * evidence["test"],
    }
    if ours:
        recorded = p["seeds"] * p["N"] * (p["T"] + 1 + 10)
        seconds |= {
            "recording": recorded * evidence["test"],
            "selection": p["seeds"] * selecting,
        }
    return {part: value / 3600 for part, value in seconds.items()}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        what, flow, seed, size = sys.argv[1:]
        answers = {
            "flow": lambda: one_flow(flow, int(seed), json.loads(size)),
            "visit": lambda: seconds_a_visit(flow, json.loads(size)),
            "selection": lambda: seconds_of_selection(json.loads(size)),
        }
        print(json.dumps(answers[what]()))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--quick", action="store_true")
        parser.add_argument("--frames", type=int, help="of a class and SNR; four in five train")
        parser.add_argument("--epochs", type=int)
        given = parser.parse_args()
        asked = {"frames": given.frames, "epochs": given.epochs}
        size = QUICK if given.quick else SIZE
        main(size | {name: value for name, value in asked.items() if value})

"""Does the fast engine train as well as the plain loop? Ten seeds of each, paired.

    python benchmarks/accuracy.py                      a quarter of an hour, one thread
    python benchmarks/accuracy.py --quick              half a minute: nothing to quote
    python benchmarks/accuracy.py --data FILE.npz      your own; --split blocks if frames overlap

A seed gives all variants the same coreset, 880 signals, as many of each class, and the same initial
weights; batch order and dropout masks are each loop's own. CNN1D, 30 epochs, batch 64. The interval
is Student's, of the paired differences. Written to book/results/benchmarks/accuracy.csv, one row a
variant, and accuracy_seeds.csv; rows of other data sets stay there.
"""

import argparse
import csv
import json
import sys
from math import sqrt
from statistics import mean, stdev

from measure import RESULTS, child, in_turn, stopwatch, write
from scipy.stats import t

PLAIN = "plain loop"
VARIANTS = (PLAIN, "ours, fp32", "ours, bf16")
SIMULATED = "RML2016.10a-like"
SIZE = {"seeds": 10, "frames": 100, "kept": 880, "epochs": 30}
QUICK = {"seeds": 2, "frames": 10, "kept": 110, "epochs": 3}


def one(variant: str, seed: int, data: str, split: str, size: dict) -> dict:
    """In a child: test accuracy after the last epoch, and CPU seconds of the training."""
    import torch
    from plain_loop import Recordings, evaluate, fresh, train

    from foqus_lib.datasets.catalog import prepare
    from foqus_lib.models import MODELS
    from foqus_lib.processes import keep_memory
    from foqus_lib.seeds import rng_for
    from foqus_lib.selection.catalog import SELECTORS
    from foqus_lib.studies.coreset.draw import blind
    from foqus_lib.training.fit import fit
    from foqus_lib.training.predict import accuracies
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    task = prepare(
        data, snr_min=10, split=split, normalise="rms", train_share=0.8,
        frames=size["frames"] if data == SIMULATED else 0, seed=0,
    )  # fmt: skip
    drawn = rng_for("benchmark accuracy", task.name, seed)
    rows = SELECTORS["Uniform"](blind(task.train), size["kept"], drawn)
    recipe = Recipe(size["epochs"], batch=64, precision="bf16" if "bf16" in variant else "fp32")
    if variant == PLAIN:
        network = fresh("CNN1D", len(task.train.classes), task.train.length, f"seed {seed}")
        torch.manual_seed(seed)
        with stopwatch() as spent:
            train(network, Recordings(task.train, rows), recipe)
        accuracy = evaluate(network, Recordings(task.test))
    else:
        keep_memory()
        with stopwatch() as spent:
            fitted = fit(MODELS["CNN1D"], task.train, [rows], [f"seed {seed}"], recipe)
        accuracy = accuracies(fitted.networks[0], task.test).item()
    about = {"dataset": task.name, "tests": len(task.test), "simulated": task.simulated}
    return spent | about | {"accuracy": accuracy}


def main(data: str, split: str, size: dict) -> None:
    def run(variant: str) -> dict:
        seed = len(found[variant])
        result = child(__file__, variant, seed, data, split, json.dumps(size))
        found[variant].append(result)
        print(f"seed {seed}: {variant:12} {result['accuracy']:.4f}", flush=True)
        return result

    found = {variant: [] for variant in VARIANTS}
    in_turn(VARIANTS, run, size["seeds"])
    rows = [_row(variant, found, size) for variant in VARIANTS]
    for row in rows:
        print("  ".join(str(value) for value in row.values()))
    if size == QUICK:
        return
    seeds = [
        {"dataset": result["dataset"], "variant": variant, "seed": seed,
         "accuracy": f"{result['accuracy']:.4f}", "cpu_s": f"{result['cpu_s']:.1f}"}
        for variant, results in found.items()
        for seed, result in enumerate(results)
    ]  # fmt: skip
    write("accuracy", _others("accuracy", rows) + rows)
    write("accuracy_seeds", _others("accuracy_seeds", seeds) + seeds)


def _row(variant: str, found: dict[str, list[dict]], size: dict) -> dict:
    """Mean and spread of one variant, and its difference to the plain loop in points."""
    accuracies = [result["accuracy"] for result in found[variant]]
    gaps = [100 * (a - b["accuracy"]) for a, b in zip(accuracies, found[PLAIN], strict=True)]
    half = t.ppf(0.975, len(gaps) - 1) * stdev(gaps) / sqrt(len(gaps))
    one, plain = found[variant][0], variant == PLAIN
    return {
        "dataset": one["dataset"] + (" (simulated)" if one["simulated"] else ""),
        "variant": variant,
        "accuracy": f"{mean(accuracies):.4f}",
        "sd": f"{stdev(accuracies):.4f}",
        "difference, points": "" if plain else f"{mean(gaps):+.2f}",
        "95 % interval": "" if plain else f"{mean(gaps) - half:+.2f} to {mean(gaps) + half:+.2f}",
        "seeds": len(accuracies),
        "kept": size["kept"],
        "tests": one["tests"],
        "epochs": size["epochs"],
    }


def _others(name: str, rows: list[dict]) -> list[dict]:
    """The rows of other data sets that the file holds already."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["dataset"] != rows[0]["dataset"]]


if __name__ == "__main__":
    if len(sys.argv) > 5:
        variant, seed, data, split, size = sys.argv[1:]
        print(json.dumps(one(variant, int(seed), data, split, json.loads(size))))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--data", default=SIMULATED, help=".npz as in the book, or .pkl")
        parser.add_argument("--split", default="positional", help="positional, random or blocks")
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args()
        main(given.data, given.split, QUICK if given.quick else SIZE)

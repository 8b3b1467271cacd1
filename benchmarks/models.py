"""How large and how fast each network is: parameters, multiplications, CPU seconds of training.

    python benchmarks/models.py            about seven minutes, one thread

Sizes are counted. Seconds: the second epoch of `training.fit`, every network in a process of its
own, round after round in turn; medians over the rounds. Writes sizes.csv, seconds.csv and
summary.json (for prose) to book/results/models/.
"""

import csv
import json
import statistics
import sys
import time

from measure import ROOT, child, in_turn, machine, median_ratio

SIZES = {"RML2016.10a": (11, 128), "Sig2019-12": (12, 512), "RML2018.01a": (24, 1024)}
SIGNALS = {"CNN1D": 1280, "CNN2D": 640, "LSTM": 640, "SigNet": 64, "SigNetIQ": 64, "IQFormer": 256}
ROUNDS, BATCH = 3, 32  # a quarter of the recipe's batch, so that SigNet fits a laptop
EPOCH = 44_000  # training signals of RML2016.10a, 10 to 18 dB


def one(network: str) -> dict:
    """CPU seconds for 1,000 signals; in a process of its own."""
    import numpy as np
    import torch

    from foqus_lib.models import MODELS
    from foqus_lib.processes import keep_memory
    from foqus_lib.signals import Signals
    from foqus_lib.training.fit import fit
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    keep_memory()  # as in a sweep
    n, rng = SIGNALS[network], np.random.default_rng(0)
    iq = rng.standard_normal((n, 2, 128)).astype(np.float32)
    signals = Signals(iq, np.arange(n) % 11, np.zeros(n, np.float32), tuple("abcdefghijk"))

    ends = []  # of the epochs; the first warms up and bears the building of the network
    fit(MODELS[network], signals, [np.arange(n)], ["a"], Recipe(epochs=2, batch=BATCH),
        after_epoch=lambda *_: ends.append(time.process_time()))  # fmt: skip
    return {"seconds": 1000 * (ends[1] - ends[0]) / n}


def sizes() -> dict[str, dict[str, dict[str, int]]]:
    """{network: {"parameters" or "macs": {data set: count}}}."""
    from foqus_lib.models import MODELS
    from foqus_lib.models.shapes import unfilled
    from foqus_lib.models.summary import macs, parameters

    found = {}
    for name, build in MODELS.items():
        of = {data: (unfilled(build, *size), size[1]) for data, size in SIZES.items()}
        found[name] = {
            "parameters": {data: parameters(network) for data, (network, _) in of.items()},
            "macs": {data: macs(network, length) for data, (network, length) in of.items()},
        }
    return found


def short(count: int) -> str:
    """14901248 -> "14.9 M"."""
    return f"{count / 1e9:.3g} G" if count >= 1e9 else f"{count / 1e6:.4g} M"


def main() -> None:
    counted = sizes()
    found = in_turn(list(counted), lambda name: child(__file__, name), ROUNDS)
    seconds = {name: [round["seconds"] for round in rounds] for name, rounds in found.items()}
    table = [["Network", *(f"{data}: {kind}" for kind in ("parameters", "MACs") for data in SIZES)]]
    times = [["Network", "CPU s per 1,000 signals", "least to most", "to CNN1D", "min per epoch"]]
    summary = {
        "_about": {"device": machine(), "rounds": ROUNDS, "batch": BATCH, "epoch": EPOCH},
    }
    for name, kinds in counted.items():
        spent = statistics.median(seconds[name])
        ratio = median_ratio(seconds[name], seconds["CNN1D"])
        table.append([name, *(f"{n:,}" for n in kinds["parameters"].values()),
                      *(short(n) for n in kinds["macs"].values())])  # fmt: skip
        times.append([name, f"{spent:.2f}", f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f}",
                      f"{ratio:.1f}", f"{spent * EPOCH / 1000 / 60:.1f}"])  # fmt: skip
        summary[name] = kinds | {"seconds": spent, "ratio": ratio}
    target = ROOT / "book" / "results" / "models"
    target.mkdir(parents=True, exist_ok=True)
    for file, rows in (("sizes.csv", table), ("seconds.csv", times)):
        with open(target / file, "w", newline="", encoding="utf-8") as out:
            csv.writer(out, lineterminator="\n").writerows(rows)
        print(*("  ".join(f"{cell:>12}" for cell in row) for row in rows), sep="\n")
    (target / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) > 1:
        print(json.dumps(one(sys.argv[1])))
    else:
        main()

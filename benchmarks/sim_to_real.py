"""How far is a network trained on simulated signals from real ones? Accuracies and confusions.

    python benchmarks/sim_to_real.py --real FILE.npz            twenty minutes, one thread
    python benchmarks/sim_to_real.py --real FILE.npz --epochs 2 --seeds 2       nothing to quote

FILE holds real frames that overlap by half, such as RML2016.04C (foqus_lib/datasets/own/npz.py says
how). CNN1D learns the classes that file and simulation share, at 10 dB and more, rms scale: once
from simulated signals, tested on others of them and on every real one; once from real signals
(blocks), tested on the rest. Only every second real frame is used, so none overlap, and the first
six of a linear modulation, which hold no signal yet, are left out. Accuracy is the mean over the
classes of the share recognised, as real classes are of unequal size.

Mind that the numbers of the simulated fading (`channel.DRAWS`) were chosen for being closest to
the channel of RML2016.04C: on that file the gap tells how well its one channel is imitated, not how
the network would do on another. What the choice is worth is seen in the rows with fading drawn by
OTHER numbers, two seeds each.

Written to book/results/benchmarks/: sim_to_real.csv, a row for each training and test, and
sim_to_real_confusion.csv, a row for each class, mean over the seeds. `fading` holds the three
numbers of the simulated training set; `recorded` for a real one.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from measure import child, machine, write

from foqus_lib.datasets.simulated import channel

SIMULATED, REAL = "RML2016.10a-like", "real"
RECORDED = "recorded"  # the fading of a real training set
LOWEST_SNR, FRAMES, HELD_OUT, BATCH = 10, 300, 100, 32  # dB; frames for each class and SNR
OTHER = ("0 0 0", "1 1 1")  # fading that nobody chose
EMPTY = 6  # frames at the start of a linear stream that hold no signal yet
LINEAR = ("8PSK", "BPSK", "PAM4", "QAM16", "QAM64", "QPSK")


def real_signals(path: Path):
    """High-SNR frames of the file that share no samples, without the empty ones."""
    from foqus_lib.datasets.own import npz
    from foqus_lib.signals import at_least

    signals = at_least(npz.load(path)[0], LOWEST_SNR)
    linear = np.isin(np.array(signals.classes)[signals.label], LINEAR)
    pair = signals.label * 100 + signals.snr
    starts = np.flatnonzero(np.diff(pair, prepend=np.nan) != 0)  # rows stand pair by pair
    at = np.arange(len(signals)) - np.repeat(starts, np.diff(np.append(starts, len(signals))))
    return signals[np.flatnonzero((at % 2 == 0) & (~linear | (at >= EMPTY)))]


def shared(signals, classes: list[str]):
    """The signals of these classes, counted in this order."""
    from foqus_lib.signals import Signals

    rows = np.flatnonzero(np.isin(np.array(signals.classes)[signals.label], classes))
    to = np.array([classes.index(c) if c in classes else -1 for c in signals.classes])
    return Signals(signals.iq[rows], to[signals.label[rows]], signals.snr[rows], tuple(classes))


def one(fading: str, seed: int, path: Path, epochs: int) -> list[dict]:
    """In a child: one training and its tests, each with its confusion matrix in counts."""
    import torch

    from foqus_lib.datasets.simulated import like_rml2016
    from foqus_lib.models import MODELS
    from foqus_lib.seeds import rng_for
    from foqus_lib.signals import rms
    from foqus_lib.splits import block_split, positional_split
    from foqus_lib.training.fit import fit
    from foqus_lib.training.predict import predict
    from foqus_lib.training.recipe import Recipe

    torch.set_num_threads(1)
    real = rms(real_signals(path))
    classes = sorted(set(real.classes) & set(like_rml2016.CLASSES))
    real = shared(real, classes)
    rng = rng_for("benchmark sim_to_real", seed)
    if fading != RECORDED:
        snrs = [snr for snr in like_rml2016.SNRS if snr >= LOWEST_SNR]
        quirks = like_rml2016.Quirks(fading=tuple(map(int, fading.split())))
        made = rms(shared(like_rml2016.generate(snrs, FRAMES + HELD_OUT, seed, quirks), classes))
        train, held_out = positional_split(made, FRAMES / (FRAMES + HELD_OUT), rng)
        source, tests = made[train], {SIMULATED: made[held_out], REAL: real}
    else:
        train, held_out = block_split(real, 0.8, rng, block=10, gap=0)  # frames share no samples
        source, tests = real[train], {REAL: real[held_out]}
    recipe, everything = Recipe(epochs, batch=BATCH), [np.arange(len(source))]
    network = fit(MODELS["CNN1D"], source, everything, [f"sim_to_real {seed}"], recipe).networks[0]
    found = []
    for tested_on, signals in tests.items():
        said = predict(network, signals)[0][0].argmax(1).numpy()
        counts = np.zeros((len(classes), len(classes)), int)
        np.add.at(counts, (signals.label, said), 1)
        found.append(
            {"tested_on": tested_on, "n_train": len(source), "counts": counts.tolist()}
            | {"classes": classes}
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", required=True, type=Path, help=".npz of real frames")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("FADING", "SEED"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one[0], int(args.one[1]), args.real, args.epochs)))
        return
    chosen = " ".join(map(str, channel.DRAWS))
    runs = [(fading, seed) for seed in range(args.seeds) for fading in (chosen, RECORDED)]
    runs += [(fading, seed) for fading in OTHER for seed in range(min(args.seeds, 2))]
    rows, matrices = [], {}
    for fading, seed in runs:
        trained_on = REAL if fading == RECORDED else SIMULATED
        options = ["--real", args.real.resolve(), "--epochs", args.epochs]
        for test in child(__file__, *options, "--one", fading, seed):
            counts = np.array(test["counts"])
            shares = counts / counts.sum(axis=1, keepdims=True)
            key = (trained_on, fading, test["tested_on"], tuple(test["classes"]))
            matrices.setdefault(key, []).append(shares)
            row = {
                "network": "CNN1D", "trained_on": trained_on, "fading": fading,
                "tested_on": test["tested_on"], "real_file": args.real.stem, "seed": seed,
                "epochs": args.epochs, "n_train": test["n_train"], "n": int(counts.sum()),
                "accuracy": f"{np.diag(shares).mean():.4f}", "machine": machine(),
            }  # fmt: skip
            rows.append(row)
            print(*(row[k] for k in ("trained_on", "fading", "tested_on", "seed", "n", "accuracy")))
            sys.stdout.flush()
    write("sim_to_real", rows)
    confusions = []
    for (trained_on, fading, tested_on, classes), shares in matrices.items():
        for name, line in zip(classes, np.mean(shares, axis=0), strict=True):
            which = {"trained_on": trained_on, "fading": fading, "tested_on": tested_on}
            said = {c: f"{share:.3f}" for c, share in zip(classes, line, strict=True)}
            confusions.append(which | {"class": name} | said)
    write("sim_to_real_confusion", confusions)


if __name__ == "__main__":
    main()

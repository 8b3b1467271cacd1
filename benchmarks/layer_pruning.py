"""Layer pruning: similarity of all pairs of layers, and the exact partition, beside plain forms.

Run by companions.py.
"""

import statistics
from collections.abc import Callable
from pathlib import Path

import measure
import numpy as np

SCRIPT = Path(__file__).with_name("companions.py")
OURS, PLAIN = "ours", "plain loop"


# ---- layer pruning: similarity of all pairs of layers, and the partition -------------------------

BATCHES, OF_A_BATCH = 5, 128  # 640 signals, as the paper's code compares
LAYERS, SEGMENTS, AGAIN = 110, 7, 20


def layer_cka(rounds: int) -> None:
    """All-pairs CKA of ResNet56, 28 layers on 640 signals: one Gram matrix a layer, or two a pair.

    The forward passes that give the activations are timed by themselves. Same values, checked.
    """
    found = _in_turn("layer_cka", rounds)
    for one, two in zip(*found.values(), strict=True):
        assert np.allclose(one["values"], two["values"], atol=1e-5)
    passes = statistics.median(one["forward_s"] for runs in found.values() for one in runs)
    facts = {"signals": BATCHES * OF_A_BATCH, "forward_s": round(passes, 3)}
    measure.write("layer_cka", _rows(found, rounds, 1, "cpu_s", facts))


def layer_cka_child(variant: str) -> dict:
    """One variant once, after a warm-up on few signals."""
    import torch

    from foqus_lib.companions.layer_pruning import activations, cka_matrix
    from foqus_lib.companions.signal_resnet import SignalResNet

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = SignalResNet(11, 128, (9, 9, 9)).eval()
    compare = {OURS: cka_matrix, PLAIN: _plain_cka}[variant]
    compare(activations(network, torch.randn(8, 2, 128)))
    batches = torch.randn(BATCHES, OF_A_BATCH, 2, 128)
    with measure.stopwatch() as forward:
        layers = [activations(network, x) for x in batches]
    with measure.stopwatch() as spent:
        found = np.mean([compare(one) for one in layers], axis=0)
    return {"cpu_s": spent["cpu_s"], "forward_s": forward["cpu_s"], "values": found[0].tolist()}


def _plain_cka(layers: list) -> np.ndarray:
    """What one writes first: every pair from its activations, term by term."""
    n, ones = len(layers[0]), np.ones(len(layers[0]))

    def gram(x) -> np.ndarray:
        x = x.numpy().astype(float)
        x = x @ x.T
        np.fill_diagonal(x, 0)
        return x

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        sums = (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
        return (np.trace(k @ m) + sums - 2 / (n - 2) * (ones @ k @ m @ ones)) / (n * (n - 3))

    found = np.ones((len(layers), len(layers)))
    for a, x in enumerate(layers):
        for b, y in enumerate(layers[:a]):
            k, m = gram(x), gram(y)
            found[a, b] = found[b, a] = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    return found


def segmentation(rounds: int) -> None:
    """The exact partition of 110 layers into 7 segments, in milliseconds."""
    found = _in_turn("segmentation", rounds)
    for one, two in zip(*found.values(), strict=True):
        assert np.isclose(one["loss"], two["loss"])
    facts = {"layers": LAYERS, "segments": SEGMENTS}
    measure.write("segmentation", _rows(found, rounds, 1e3, "cpu_ms", facts))


def segmentation_child(variant: str) -> dict:
    """The mean of some calls of one variant, after a first one."""
    from foqus_lib.companions.layer_pruning import fisher_segmentation

    scores = np.random.default_rng(0).standard_normal(LAYERS)
    cut = {OURS: lambda: fisher_segmentation(scores, SEGMENTS)[1],
           PLAIN: lambda: _plain_loss(scores.tolist(), SEGMENTS)}[variant]  # fmt: skip
    loss = cut()
    with measure.stopwatch() as spent:
        for _ in range(AGAIN):
            cut()
    return {"cpu_s": spent["cpu_s"] / AGAIN, "loss": float(loss)}


def _plain_loss(scores: list[float], k: int) -> float:
    """The recursion in loops; the squares within a segment from running sums."""
    within = {}
    for a in range(len(scores)):
        total = squares = 0.0
        for b in range(a, len(scores)):
            total, squares = total + scores[b], squares + scores[b] ** 2
            within[a, b] = squares - total**2 / (b - a + 1)
    losses = [within[0, n] for n in range(len(scores))]
    for r in range(1, k):
        losses = [
            min((losses[j - 1] + within[j, n] for j in range(r, n + 1)), default=float("inf"))
            for n in range(len(scores))
        ]
    return losses[-1]


def _in_turn(bench: str, rounds: int) -> dict[str, list]:
    return measure.in_turn(
        [OURS, PLAIN], lambda name: measure.child(SCRIPT, "--child", bench, name), rounds
    )


def _rows(found: dict, rounds: int, scale: float, column: str, facts: dict) -> list[dict]:
    """A row a variant: its median seconds times `scale`, and how many times ours that is."""
    seconds = {name: [one["cpu_s"] for one in runs] for name, runs in found.items()}
    machine = measure.machine()
    return [
        {
            "variant": name,
            **facts,
            "rounds": rounds,
            column: round(scale * statistics.median(spent), 3),
            "times_ours": round(measure.median_ratio(spent, seconds[OURS]), 2),
            "machine": machine,
        }
        for name, spent in seconds.items()
    ]


BENCHES: dict[str, Callable[[int], None]] = {"layer_cka": layer_cka, "segmentation": segmentation}
CHILDREN: dict[str, Callable[[str], dict]] = {
    "layer_cka": layer_cka_child,
    "segmentation": segmentation_child,
}

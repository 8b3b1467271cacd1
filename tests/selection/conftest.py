"""Evidence made of arrays: no network, milliseconds."""

from collections.abc import Callable

import numpy as np
import pytest

from foqus_lib.evidence import Evidence


def evidence_of(label, **given) -> Evidence:
    """Evidence with these labels; what is not given is random, continuous and the same each time.

    T = 12 epochs, C = 5 classes, D = 6 features, R = 2 early runs.
    """
    rng = np.random.default_rng(7)
    label = np.asarray(label, dtype=np.int64)
    n, f32 = len(label), np.float32
    arrays = {
        "label": label,
        "snr": np.zeros(n, f32),
        "correct": rng.random((12, n)) < rng.random(n),
        "loss": rng.exponential(size=(12, n)).astype(f32),
        "logits": rng.normal(size=(n, 5), scale=2).astype(f32),
        "embedding": rng.normal(size=(n, 6)).astype(f32),
        "logits_early": rng.normal(size=(2, n, 5)).astype(f32),
        "embedding_norm_early": rng.exponential(size=(2, n)).astype(f32),
    }
    arrays |= {
        name: np.asarray(value, dtype=arrays[name].dtype)  # lists are welcome
        for name, value in given.items()
        if name not in ("margin", "drift")
    }
    epochs = len(arrays["loss"])
    margin = (
        rng.normal(size=(epochs, n), scale=3) if given.get("margin") is None else given["margin"]
    )
    drift = rng.exponential(size=(epochs - 1, n)) if given.get("drift") is None else given["drift"]
    return Evidence(**arrays, margin=np.asarray(margin, f32), drift=np.asarray(drift, f32))


@pytest.fixture(scope="session")
def make() -> Callable[..., Evidence]:
    return evidence_of


@pytest.fixture
def evidence() -> Evidence:
    """60 signals of 4 classes (20, 20, 16, 4), in no order."""
    label = np.repeat([0, 1, 2, 3], [20, 20, 16, 4])
    return evidence_of(np.random.default_rng(3).permutation(label))

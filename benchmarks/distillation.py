"""Distillation: an iteration of MDM, which looks at two views, beside one of DM.

Run by companions.py.
"""

from functools import partial
from pathlib import Path

import measure
import numpy as np

SCRIPT = Path(__file__).with_name("companions.py")
DM, MDM = "DM", "MDM"
CLASSES, OF_A_CLASS, MADE, BATCH_REAL, ITERATIONS = 11, 64, 10, 32, 20


def iteration(rounds: int) -> None:
    """CNN1D, 10 signals of each of 11 classes moved, 32 real ones of each seen; noise of both."""
    found = measure.in_turn(
        [DM, MDM], lambda name: measure.child(SCRIPT, "--child", "iteration", name), rounds
    )
    ms = {name: [1000 * one["cpu_s"] / ITERATIONS for one in runs] for name, runs in found.items()}
    rows = [
        {
            "variant": name,
            "made_of_a_class": MADE,
            "real_of_a_class": BATCH_REAL,
            "rounds": rounds,
            "cpu_ms": round(float(np.median(spent)), 1),
            "times_dm": round(measure.median_ratio(spent, ms[DM]), 2),
            "machine": measure.machine(),
        }
        for name, spent in ms.items()
    ]
    measure.write("mdm_iteration", rows)


def iteration_child(variant: str) -> dict:
    """Some iterations of one variant, after one that warms up."""
    import torch

    from foqus_lib.companions.distillation.descent import distil
    from foqus_lib.companions.distillation.networks import fresh_embedding
    from foqus_lib.companions.distillation.views import TIME_ALONE, multi_domain
    from foqus_lib.models import MODELS
    from foqus_lib.signals import Signals

    torch.set_num_threads(1)

    def noise(of_a_class: int) -> Signals:
        n = CLASSES * of_a_class
        iq = np.random.default_rng(n).standard_normal((n, 2, 128), dtype=np.float32)
        names = tuple("abcdefghijk")
        return Signals(
            iq, np.repeat(np.arange(CLASSES), of_a_class), np.zeros(n, np.float32), names
        )

    real, start = noise(OF_A_CLASS), noise(MADE)
    probe = torch.from_numpy(real.iq[:64])
    views = {DM: TIME_ALONE, MDM: multi_domain(1.0)}[variant]
    run = partial(
        distil, real, start, lambda k: fresh_embedding(MODELS["CNN1D"], CLASSES, f"{k}", probe),
        views, np.random.default_rng(0), batch_real=BATCH_REAL,
    )  # fmt: skip
    run(iterations=1)
    with measure.stopwatch() as spent:
        run(iterations=ITERATIONS)
    return spent


BENCHES = {"iteration": iteration}
CHILDREN = {"iteration": iteration_child}

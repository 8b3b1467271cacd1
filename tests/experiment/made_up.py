"""A study of nothing, and its trials: the engine knows no method, no network, no accuracy."""

from foqus_lib.experiment.key import Trial
from foqus_lib.experiment.provenance import provenance
from foqus_lib.experiment.study import Axis, Metric, Study

STUDY = Study(
    name="ponds",
    version=1,
    axis=Axis("buckets", lambda n: f"{n} buckets"),
    metrics=(Metric("clarity", "clarity", points=True), Metric("depth", "depth (m)")),
    settings=("pond", "versions"),
    block=("pond",),
    floor="Sand",
    ceiling=None,
    jobs=lambda bench, missing: [],
)
SETTINGS = (("pond", "north"), ("versions", "sieve=1"))
METRICS = {"clarity": 0.3, "clarity_by_month": {"4": 0.25, "9": 0.35}, "depth": 8}
FACTS = provenance(device="cpu", seconds=1.5, about="made up")


def trial(method="Sand", budget=1, seed=0, repeat=0, dataset="d", settings=SETTINGS) -> Trial:
    return Trial("ponds", 1, dataset, "f", method, budget, seed, repeat, settings)


TRIALS = [
    trial(method, budget, seed)
    for method in ("Sand", "Reeds")
    for budget in (1, 5)
    for seed in (0, 1)
]

"""The study, and two other readings of its rows."""

from dataclasses import replace

from foqus_lib.experiment.study import Axis, Metric, Study
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.distillation.jobs import jobs
from foqus_lib.studies.distillation.options import FLOOR
from foqus_lib.studies.distillation.trials import NAME, VERSION

STUDY = Study(
    name=NAME,
    version=VERSION,
    axis=Axis("signals per class", str),
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        Metric("accuracy_rotated", "accuracy, phases rotated in training", points=True),
        Metric("accuracy_val", "accuracy on val", points=True),
        Metric("accuracy_val_rotated", "accuracy on val, phases rotated in training", points=True),
        Metric("move", "move of S"),
        Metric("fall", "share of L taken away", points=True),
        Metric("alpha", "weight of the frequency domain"),
        Metric("step", "step on S for each signal of a class"),
        Metric("kept", "signals trained on"),
    ),
    settings=(
        "distillation_recipe",
        "evaluation_model",
        "evaluation_recipe",
        "selection_recipe",
        "versions",
    ),
    block=("evaluation_model",),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
    verdict_from=10,
)

# The same rows read by another of their numbers: tables and figures look at a study's first metric.
ROTATED = replace(STUDY, metrics=(STUDY.metrics[1], STUDY.metrics[0], *STUDY.metrics[2:]))
CHOSEN_BY = Metric("accuracy_val_mean", "accuracy on val, mean of plain and rotated", points=True)
ON_VAL = replace(STUDY, metrics=(CHOSEN_BY, *STUDY.metrics))  # rows: those of `readings.on_val`

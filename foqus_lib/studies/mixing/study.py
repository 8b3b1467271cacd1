"""The study."""

from foqus_lib.experiment.study import RATE, Metric, Study
from foqus_lib.studies.coreset.bench import ALL_DATA
from foqus_lib.studies.mixing.jobs import jobs
from foqus_lib.studies.mixing.rows import FLOOR
from foqus_lib.studies.mixing.trials import NAME, VERSION

STUDY = Study(
    name=NAME,
    version=VERSION,
    axis=RATE,
    metrics=(
        Metric("accuracy", "accuracy", points=True),
        # "unmet" in older stores counts signals alone as well: another number, another name
        Metric(
            "unmet_pairs", "share of pairs that nothing satisfied theta for", higher_is_better=False
        ),
        Metric("kept", "signals kept"),
    ),
    settings=(
        "coreset",
        "evaluation_model",
        "evaluation_recipe",
        "mixing",
        "selection_model",
        "selection_recipe",
        "steps",
        "versions",
    ),
    block=("coreset",),
    floor=FLOOR,
    ceiling=ALL_DATA,
    jobs=jobs,
    verdict_from=10,
)

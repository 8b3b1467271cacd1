"""What the specification asks of this chapter, section 2.7. 2.7.2 is a test: alpha = 0 is DM."""

from foqus_lib.experiment.study import Bar
from foqus_lib.studies.distillation.moves import LEAST, MOST
from foqus_lib.studies.distillation.networks import RESNET
from foqus_lib.studies.distillation.options import FLOOR, PSI

TEN = {"budget": 10, "evaluation_model": PSI}
ROTATED = "accuracy_rotated"
OTHERS = "CNN2D", "LSTM", RESNET
LONG = "long"  # rows of enough iterations to move a set, at ten signals a class
FILES = "rows", LONG, "real"

BARS = (
    Bar("2.7.1", "MDM takes 20 % of its loss away", ("MDM",), None, "fall", 0.2, where=TEN,
        file=LONG),
    Bar("2.7.1", f"its move ends in {LEAST} to {MOST}", ("MDM",), None, "move", LEAST, MOST,
        where=TEN, unit="of S", file=LONG),
    Bar(
        "2.7.3", "MDM at least 2 points over Random; 10 per class, phases rotated", ("MDM",), FLOOR,
        ROTATED, 0.02, where=TEN, file=LONG,
    ),
    Bar(
        "2.7.4", "MDM, weight chosen on val, at least DM less 1 point", ("MDM",), "DM", ROTATED,
        -0.01, where=TEN, file=LONG,
    ),
    *(
        Bar(
            "2.7.5", f"MDM over Random on {name} (asked of two of three)", ("MDM",), FLOOR, ROTATED,
            0.0, where={"budget": 10, "evaluation_model": name},
        )
        for name in OTHERS
    ),
    Bar(
        "2.7.6", "MDM from FoQuS at least MDM less 1 point", ("MDM from FoQuS",), "MDM", ROTATED,
        -0.01, where=TEN, file=LONG,
    ),
)  # fmt: skip

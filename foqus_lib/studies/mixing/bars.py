"""What the specification asks of this chapter, section 3.7. 3.7.1 and 3.7.2 are tests."""

from foqus_lib.experiment.study import Bar
from foqus_lib.studies.mixing.rows import FLOOR

MIXED = "RM", "n-RM"
UNIFORM = {"coreset": "Uniform"}

BARS = (
    Bar(
        "3.7.3", "the better of RM and n-RM at least 2 points over none; 48 per class (10 %)",
        MIXED, FLOOR, "accuracy", least=0.02, where=UNIFORM | {"budget": 1000},
    ),
    Bar(
        "3.7.3", "the same, 50 per class at 18 dB alone", MIXED, FLOOR, "accuracy", least=0.02,
        where=UNIFORM, file="snr_18",
    ),
    Bar(
        "3.7.4", "RM + rotation at least rotation; 5 per class (1 %), 10 were asked",
        ("RM + rotation",), "rotation", "accuracy", least=0, where=UNIFORM | {"budget": 100},
    ),
    Bar(
        "3.7.4", "RM + rotation at least rotation less 0.5 points; 48 per class (10 %)",
        ("RM + rotation",), "rotation", "accuracy", least=-0.005, where=UNIFORM | {"budget": 1000},
    ),
    Bar(
        "3.7.4", "all SNRs: the best mixing at least none less 0.3 points", MIXED, FLOOR,
        "accuracy", least=-0.003, where=UNIFORM, file="all_snr",
    ),
    Bar(
        "3.7.5", "FoQuS 5 % with RM at least FoQuS 5 %", ("RM",), FLOOR, "accuracy", least=0,
        where={"coreset": "FoQuS", "budget": 500},
    ),
)  # fmt: skip
FILES = "rows", "all_snr", "snr_-6", "snr_0", "snr_10", "snr_18", "real"

"""The yardstick: which other seed's base network the whole network is compared with."""

from foqus_lib.experiment.key import Trial
from foqus_lib.studies.layer_pruning.options import Options
from foqus_lib.studies.scoring_proxy.records import WHOLE

BESIDE = ", compared with seed "  # in keys, after the recipe of the base networks


def partner(seed: int, seeds: int) -> int:
    """The base network that another training of the whole network stands for: the seed before.

    The first seed's is the last one, so that of three seeds or more no pair counts twice. One seed
    alone is compared with seed 1.
    """
    return (seed - 1) % max(seeds, 2)


def base_recipe(how: Options, method: str, seed: int, seeds: int) -> str:
    """The recipe of the base network as it stands in keys, with the seed it is compared with.

    That seed is said only where it follows from the number of seeds: where three or more make the
    first one's partner the last. A recipe may differ within a table, which then says so.
    """
    other = partner(seed, seeds)
    said = method == WHOLE and other != _unsaid(seed)
    return str(how.base_recipe) + f"{BESIDE}{other}" * said


def compared_with(trial: Trial) -> int:
    """The seed of the base network whose scores a trial's are compared with, by its key."""
    if trial.method != WHOLE:
        return trial.seed
    said = trial["base_recipe"].partition(BESIDE)[2]
    return int(said) if said else _unsaid(trial.seed)


def _unsaid(seed: int) -> int:
    """The partner where a key names none."""
    return partner(seed, seed + 1)

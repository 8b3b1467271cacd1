"""What is done to a batch, row by row."""

from collections.abc import Callable
from functools import partial

from foqus_lib.companions.mixing import batches, rivals
from foqus_lib.companions.mixing import rules as pairs
from foqus_lib.companions.mixing.batches import Rule
from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.companions.mixing.similarity import theta_of
from foqus_lib.datasets.catalog import Task
from foqus_lib.errors import unknown
from foqus_lib.models import MODELS
from foqus_lib.models.copies import Build
from foqus_lib.seeds import rng_for
from foqus_lib.signals import Signals
from foqus_lib.studies.mixing.rules import Rules, Tally
from foqus_lib.training.fit import Transform

FLOOR = "none"
OVER = " + rotation"  # after a mixing: whatever comes out of it is turned as well


def _random(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return batches.own_child(partial(pairs.random_pairs, ratio=rules.ratio))


def _most_similar(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return batches.own_child(
        partial(pairs.most_similar_pairs, ratio=rules.ratio, stride=rules.stride)
    )


def _theta_similar(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return batches.own_child(
        partial(
            pairs.theta_similar_pairs, ratio=rules.ratio, theta=theta_for(part, rules),
            patience=rules.patience, tally=tally,
        )
    )  # fmt: skip


def _n_random(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return partial(pairs.n_random_children, ratio=rules.ratio, n=rules.n)


def _copies(part: TrainingPart, rules: Rules, tally: Tally) -> Rule:
    return batches.other_burst


def theta_for(part: TrainingPart, rules: Rules) -> float:
    """The theta of the key, or the quantile of random draws on this very coreset."""
    if rules.theta:
        return rules.theta
    rng = rng_for("theta", part.task.fingerprint)
    return theta_of(part, rules.ratio, rules.quantile, rng)


def _mixup(task: Task, rules: Rules) -> Transform:
    return partial(rivals.mixup, classes=len(task.train.classes), alpha=rules.alpha)


def _cutmix(task: Task, rules: Rules) -> Transform:
    return partial(rivals.cutmix, classes=len(task.train.classes))


MIXINGS: dict[str, Callable[[TrainingPart, Rules, Tally], Rule]] = {
    "copies": _copies,
    "RM": _random,
    "MSM": _most_similar,
    "theta-SM": _theta_similar,
    "n-RM": _n_random,
}
OTHERS: dict[str, Callable[[Task, Rules], Transform]] = {
    "rotation": lambda task, rules: rivals.rotation,
    "flip": lambda task, rules: rivals.flip,
    "noise": lambda task, rules: partial(rivals.noise, below_db=rules.noise_db),
    "mixup": _mixup,
    "CutMix": _cutmix,
}
METHODS = (FLOOR, "copies", *OTHERS, "RM", "MSM", "theta-SM", "n-RM", "RM + rotation",
           "n-RM + rotation")  # fmt: skip


def known(method: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such row."""
    if method.removesuffix(OVER) not in MIXINGS and method not in (FLOOR, *OTHERS):
        raise unknown("method", method, (*METHODS, *(name + OVER for name in MIXINGS)))
    return method


def training_of(
    method: str, part: TrainingPart, rules: Rules, model: str, tally: Tally
) -> tuple[Build, Signals, Transform | None]:
    """What `fit` is given for a row: network, signals and what happens to a batch of them."""
    task, name = part.task, known(method).removesuffix(OVER)
    if name not in MIXINGS:
        change = OTHERS[method](task, rules) if method in OTHERS else None
        return MODELS[model], task.train, change
    change = batches.in_batches(part, MIXINGS[name](part, rules, tally), rules.chance)
    if method.endswith(OVER):
        change = batches.one_after_another(change, rivals.rotation)
    build = partial(with_outputs, MODELS[model], len(task.train.classes))
    return build, batches.numbered(part), change


def with_outputs(build: Build, outputs: int, classes: int, length: int, copies: int = 1):
    """Numbered labels are as many as there are rows: the network still has one output a class."""
    return build(outputs, length, copies)

"""Weight and step of a distribution matching: the best of those that were tried, on val."""

import numpy as np

from foqus_lib.experiment import store
from foqus_lib.studies.distillation.bench import Bench
from foqus_lib.studies.distillation.trials import sweep_trials
from foqus_lib.studies.distillation.ways import Way, taken, ways


def settled(bench: Bench, method: str) -> Way:
    """The way of a method; where weight or step are chosen on val, with what was chosen.

    ValueError as long as what was tried has not run.
    """
    way = ways(bench.how)[method]
    return taken(bench.how, way, best(bench, method)) if way.tried else way


def best(bench: Bench, method: str) -> str:
    """Of the methods tried for it the one of highest accuracy on val; of equals the first."""
    found = scores(bench, method)
    return max(found, key=found.get)


def scores(bench: Bench, method: str) -> dict[str, float]:
    """Accuracy on val of each method tried: mean of its plain and its rotated training, all seeds.

    One that diverged at a seed, its set or a network, is not there. ValueError for one that has not
    run, or whose last attempt ended otherwise, as by a killed worker; and if all diverged.
    """
    each = {name: [] for name in ways(bench.how)[method].tried}
    for one in sweep_trials(bench.how, bench.task, [method]):
        if store.has(bench.root, one):
            metrics = store.read(bench.root, one)["metrics"]
            each[one.method] += metrics["accuracy_val"], metrics["accuracy_val_rotated"]
        elif (failure := store.last_failure(bench.root, one.key)) and failure.diverged:
            each[one.method].append(np.nan)
        else:
            raise ValueError(
                f"{method}: expected the sweep on val, got no result of {one.method}, seed "
                f"{one.seed}. Run the sweep first"
            )
    means = {name: float(np.mean(values)) for name, values in each.items()}
    whole = {name: mean for name, mean in means.items() if mean == mean}
    if not whole:
        raise ValueError(f"{method}: every weight and step that was tried failed. Try smaller ones")
    return whole

"""Select without labels: FoQuS scores signals by clusters, and only what it keeps is labelled."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from numpy import ndarray

from foqus_lib.experiment.key import Trial, basis_points
from foqus_lib.models import MODELS
from foqus_lib.seeds import rng_for
from foqus_lib.selection.budget import budget_of
from foqus_lib.selection.catalog import method_named, partition_named
from foqus_lib.selection.methods import coresets
from foqus_lib.signals import Signals
from foqus_lib.studies.attempt import each
from foqus_lib.studies.clustering import options as names
from foqus_lib.studies.clustering.bench import Bench
from foqus_lib.studies.clustering.encoders import trained
from foqus_lib.studies.clustering.keeping import clusters_of
from foqus_lib.studies.clustering.options import Options
from foqus_lib.studies.pace import FORWARD
from foqus_lib.studies.watch import device_watched
from foqus_lib.training.collect import collect
from foqus_lib.training.predict import accuracies

SELECTOR = "FoQuS"


def points(how: Options) -> int:
    """The rate in basis points: the budget of these rows."""
    return basis_points(how.rate)


def visits(bench: Bench, group: Sequence[Trial]) -> float:
    """Of a record, if the row needs one, and of the trainings on its coreset."""
    how, n = bench.options, len(bench.transfer(group[0]["setting"]).train)
    of_record = (1 + FORWARD) * how.selection_epochs * n if group[0].method != names.UNIFORM else 0
    return of_record + len(group) * how.coreset_epochs * budget_of(how.rate, n)


def chosen(bench: Bench, trial: Trial) -> ndarray:
    """Rows of the target's training signals, as many in each method."""
    train, seed = bench.transfer(trial["setting"]).train, trial.seed
    budget = budget_of(trial.budget / 10_000, len(train))
    if budget < 1:
        raise ValueError(
            f"rate: {trial.budget / 10_000:g} of {len(train)} signals keeps none. Raise it"
        )
    rng = rng_for(bench.name("draw", trial["setting"], seed, trial.method))
    if trial.method == names.UNIFORM:  # it sees no label either: classes get what they get
        return rng.choice(len(train), budget, replace=False)
    told = train if trial.method == names.WITH_LABELS else named_by_clusters(bench, trial)
    name = bench.name("select", trial["setting"], seed, trial.method)
    [record] = collect(
        MODELS[bench.options.model], told, [name], bench.options.collection,
        torch.device(bench.device),
    )  # fmt: skip
    if isinstance(record, ValueError):
        raise record
    partition = partition_named(SELECTOR)
    with torch.device(bench.device):
        [rows] = coresets(method_named(SELECTOR), record[0], [budget], rng, partition)
    return rows


def named_by_clusters(bench: Bench, trial: Trial) -> Signals:
    """The target's training signals with the clusters of DTC A in the place of labels."""
    train, setting = bench.transfer(trial["setting"]).train, trial["setting"]
    k = bench.k_of(setting, 0)
    found = clusters_of(bench, names.DTC_A, setting, k, trial.seed)
    return replace(train, label=found["train"], classes=tuple(f"cluster {at}" for at in range(k)))


def run_trials(bench: Bench, group: Sequence[Trial]) -> None:
    """Select once; for each repeat give the coreset its labels, train, test, publish."""
    first = group[0]
    target = bench.transfer(first["setting"])
    about = f"{bench.task.about} {target.about}"
    with device_watched(bench.device):
        rows = chosen(bench, first)

    def outcome(trial: Trial) -> dict[str, float]:
        name = bench.name("evaluate", trial["setting"], trial.seed, trial.repeat)
        network = trained(bench, target.train, rows, name, bench.options.on_coreset)
        return {"recognition": float(accuracies(network, target.test)[0])}

    each(bench, group, outcome, about)

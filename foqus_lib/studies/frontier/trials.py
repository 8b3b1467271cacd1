"""Which results the chapter shows, and the key of each."""

from foqus_lib.companions import distillation as dm
from foqus_lib.companions import layer_pruning, mixing, signal_resnet
from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.models import VERSIONS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, looks_at_network
from foqus_lib.studies.frontier.options import (
    AS_LONG,
    CUT,
    DISTILLED,
    GRID,
    METHODS,
    MIXED,
    PSI,
    SELECTED,
    WHOLE,
    Options,
    chosen_by,
)
from foqus_lib.training import collect, fit

NAME, VERSION = "frontier", 1  # raised when what its trials mean changes


def trials(common: Common, options: Options, task: Task) -> list[Trial]:
    """Every row of CNN1D; the 2 x 2 rows of each other network, whole and cut; all data.

    With the control of a cut, where it is asked for.
    """
    forms = (WHOLE, AS_LONG, CUT) if options.control else (WHOLE, CUT)
    others = [(network, form) for network in options.networks for form in forms]
    rows = [(PSI, WHOLE, method) for method in options.methods or METHODS]
    rows += [(network, form, method) for network, form in others for method in GRID]
    found = [
        trial(options, task, network, form, method, basis_points(rate), seed)
        for network, form, method in rows
        for rate in options.rates
        for seed in range(common.seeds)
    ]
    return found + [
        trial(options, task, network, form, ALL_DATA, 10_000, seed)
        for network, form in ((PSI, WHOLE), *others)
        for seed in range(common.seeds)
    ]


def trial(
    how: Options, task: Task, network: str, form: str, method: str, points: int, seed: int
) -> Trial:
    """One result: a way to spend a share of the data, and the network that it trains."""
    looks = looks_at_record(method)
    return Trial.on(
        task,
        NAME,
        VERSION,
        method,
        points,
        seed,
        distillation_recipe=how.distilling if method == DISTILLED else NONE,
        form=f"{CUT} to {how.keep} blocks" if form == CUT else form,
        network=network,
        recipe=str(how.recipe(points / 10_000, method)),
        selection_recipe=str(how.collection) if looks else NONE,
        versions=_versions(network, form, method),
    )


def looks_at_record(method: str) -> bool:
    """Whether a network was trained on all data to choose."""
    return chosen_by(method) in SELECTED and looks_at_network(chosen_by(method))


def _versions(network: str, form: str, method: str) -> str:
    found = {"fit": fit.VERSION, network: VERSIONS.get(network, signal_resnet.VERSION)}
    if looks_at_record(method):
        found |= {"collect": collect.VERSION, PSI: VERSIONS[PSI]}
    if chosen_by(method) in SELECTED:
        found[chosen_by(method)] = version_of(chosen_by(method))
    if method == DISTILLED:
        found |= {"distillation": dm.VERSION, PSI: VERSIONS[PSI]}
    if method.endswith(MIXED):
        found["mixing"] = mixing.VERSION
    if form == CUT:
        found["pruning"] = layer_pruning.VERSION
    return versions_text(found)

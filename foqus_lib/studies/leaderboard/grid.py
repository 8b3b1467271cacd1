"""Which results a board shows, and the key of each."""

from foqus_lib.datasets.catalog import Task
from foqus_lib.experiment.key import Trial, basis_points, versions_text
from foqus_lib.experiment.settings import Common
from foqus_lib.models import VERSIONS
from foqus_lib.selection.catalog import version_of
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, looks_at_network
from foqus_lib.studies.leaderboard.boards import TRACKS, task, track_name
from foqus_lib.studies.leaderboard.options import FLOOR, Options
from foqus_lib.training import collect, fit
from foqus_lib.training.recipe import of_model

NAME, VERSION = "leaderboard", 1  # raised when what its trials mean changes


def trials(common: Common, options: Options, subject: Task) -> list[Trial]:
    """Every row and submission on both tracks, and what they are compared with at their rates.

    A seed is one evaluation: initial weights and batches, and for a method its own selection.
    """
    del subject  # a track has its own
    teams = options.teams
    points = {basis_points(rate) for rate in options.rates}
    floors = points | {one.points for one in teams}
    wanted = [(FLOOR, p, NONE) for p in sorted(floors)]
    wanted += [(m, p, NONE) for m in options.rows if m != FLOOR for p in sorted(points)]
    wanted += [(one.name, one.points, one.digest) for one in teams]
    wanted += [(ALL_DATA, 10_000, NONE)] if options.ceiling else []
    secret = options.secret
    tracks = {track_name(one, secret): task(options.set, one, secret) for one in TRACKS}
    return [
        trial(options, name, here, *one, seed)
        for name, here in tracks.items()
        for one in wanted
        for seed in range(common.seeds)
    ]


def trial(
    how: Options, track: str, here: Task, method: str, points: int, digest: str, seed: int
) -> Trial:
    """One training on a coreset, tested on a track. digest: of a team's rows, else "-"."""
    looks = looks_at_record(method, digest)
    return Trial.on(
        here,
        NAME,
        VERSION,
        method,
        points,
        seed,
        coreset=digest,
        evaluation_recipe=str(of_model(how.model, how.recipe)),
        model=how.model,
        selection_recipe=str(how.collection) if looks else NONE,
        track=track,
        versions=_versions(how.model, method, digest),
    )


def looks_at_record(method: str, digest: str) -> bool:
    """Whether a network was trained on the whole pool to choose, by us."""
    return digest == NONE and looks_at_network(method)


def _versions(model: str, method: str, digest: str) -> str:
    found = {"fit": fit.VERSION, model: VERSIONS[model]}
    if digest == NONE and method != ALL_DATA:
        found["method"] = version_of(method)
    if looks_at_record(method, digest):
        found["collect"] = collect.VERSION
    return versions_text(found)

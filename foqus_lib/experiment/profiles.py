"""How big a notebook's run is: a profile of notebooks/profiles/, changed by the given parameters.

In a notebook, first thing after the parameters cell:

    settings = profiles.settings("03_main_tables", globals())
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import GenericAlias
from typing import get_args, get_origin

import yaml

from foqus_lib.errors import unknown
from foqus_lib.experiment import parameters

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PROFILES = "smoke", "quick", "paper"


@dataclass(frozen=True)
class Settings:
    """All a notebook needs to know about its size. One field, one meaning, in every notebook."""

    profile: str
    dataset: str  # a name in datasets.catalog, or a path that datasets.files reads
    frames: int  # signals a (class, SNR) pair, for generated sets; 0: the set's own size
    snr_min: float  # dB; lower signals are dropped
    split: str  # positional, random or blocks
    normalise: str  # native or rms
    train_share: float  # of the signals, the rest is tested on; 0: the set's own
    data_seed: int  # of generated signals and of a random split
    models: tuple[str, ...]  # each selects for itself
    pairs: tuple[str, ...]  # "A -> B": A selects, B is trained on it (Table III)
    methods: tuple[str, ...]  # empty: every method of the notebook's catalog
    later_pairs: tuple[str, ...]  # "A -> B" with networks newer than the methods (Table IV)
    later_methods: tuple[str, ...]  # for those: they are large
    ceilings: str  # "all": All data is trained for every network; "free": where it costs nothing
    rates: tuple[float, ...]  # |S|/N
    seeds: int  # how many: 0, 1, ...
    selection_epochs: int  # T of Eqs. 4-6 [A2]
    epochs: int  # of every training on a coreset
    batch: int  # signals a gradient step, in all trainings
    precision: str  # fp32, tf32 or bf16, of a training on a coreset; evidence is always fp32
    test_every: int  # epochs between tests whose best is reported too; 0: only the last is tested
    early_runs: int  # R short trainings for GraNd [A17]
    early_epochs: int  # their length
    device: str  # auto, cpu, cuda, cuda:1 ...
    workers: int  # processes a sweep may use
    memory_gb: float  # GiB a sweep may use, of the GPU or else of the machine; 0: what is free
    results: str  # folder of the results store; relative: under the project's root

    @property
    def store(self) -> Path:
        """The results folder as a path that does not depend on where the kernel was started."""
        return ROOT / self.results  # an absolute path replaces ROOT

    @property
    def memory(self) -> int:
        """memory_gb in bytes."""
        return int(self.memory_gb * 2**30)

    @property
    def model_pairs(self) -> list[tuple[str, str]]:
        """`pairs` taken apart: [(selection_model, evaluation_model), ...]."""
        return _apart(self.pairs)

    @property
    def later_model_pairs(self) -> list[tuple[str, str]]:
        """`later_pairs` taken apart."""
        return _apart(self.later_pairs)


def _apart(pairs: Sequence[str]) -> list[tuple[str, str]]:
    return [(a.strip(), b.strip()) for a, _, b in (pair.partition("->") for pair in pairs)]


def settings(notebook: str, given: Mapping) -> Settings:
    """The profile's values for `notebook` with `given` put over them.

    A parameter left at its default ("", 0 or []) changes nothing. `given` is a dict, or the
    notebook's own globals(), of which only parameters cells are read. Unknown names and wrong
    types are ValueErrors that say what is known.
    """
    declarations = parameters.declared(source(notebook))
    given = _parameters_of(given) if "In" in given else given
    for name in given:
        if name not in declarations:
            raise unknown(f"parameter of {notebook}", name, declarations)
    profile = given.get("profile", declarations["profile"][0])
    over = {
        name: value
        for name, value in given.items()
        # False == 0, but it is no 0: left in, so that its type is refused
        if name != "profile" and (isinstance(value, bool) or value != declarations[name][0])
    }
    return _built(f"{notebook} in profile {profile}", _profile(profile, notebook), over, profile)


def _built(where: str, values: Mapping, over: Mapping, profile: str) -> Settings:
    kinds = {field.name: field.type for field in fields(Settings)}
    for name in values | over:
        if name not in kinds:
            raise unknown(f"setting of {where}", name, kinds)
    if missing := kinds.keys() - values.keys() - {"profile"}:
        raise ValueError(f"{where}: nothing is said about {', '.join(sorted(missing))}")
    cast = {name: _cast(name, value, kinds[name]) for name, value in (values | over).items()}
    made = Settings(profile=profile, **cast)
    _check(made, where)
    return made


def _cast(name: str, value: object, kind: type | GenericAlias) -> object:
    """A setting in its field's type; a tuple's items each in theirs."""
    if get_origin(kind) is not tuple:
        return parameters.typed(name, value, kind)
    value = list(value) if isinstance(value, tuple) else value
    item = get_args(kind)[0]
    return tuple(parameters.typed(name, one, item) for one in parameters.typed(name, value, list))


def _check(made: Settings, where: str) -> None:
    """Ranges that need no dataset and no model to be seen wrong."""
    for rate in made.rates:
        if not 0 < rate <= 1:
            raise ValueError(f"{where}: rates: expected 0 < rate <= 1, got {rate:g}")
    if not 0 <= made.train_share < 1:
        raise ValueError(f"{where}: train_share: expected 0 to 1, got {made.train_share:g}")
    if made.selection_epochs < 2:
        raise ValueError(
            f"{where}: selection_epochs: forgetting needs 2, got {made.selection_epochs}"
        )
    for name in ("seeds", "epochs", "batch", "early_runs", "early_epochs", "workers", "frames"):
        least = 0 if name == "frames" else 1
        if getattr(made, name) < least:
            raise ValueError(
                f"{where}: {name}: expected {least} or more, got {getattr(made, name)}"
            )
    for name in ("test_every", "memory_gb"):
        if not getattr(made, name) >= 0:
            raise ValueError(f"{where}: {name}: expected 0 or more, got {getattr(made, name)}")
    if made.ceilings not in ("all", "free"):
        raise unknown(f"setting of ceilings in {where}", made.ceilings, ("all", "free"))
    for pair in made.pairs + made.later_pairs:
        if pair.count("->") != 1:
            raise ValueError(f"{where}: pairs: expected such as 'CNN1D -> CNN2D', got {pair!r}")


def source(notebook: str) -> dict:
    """The notebook of that name in notebooks/, as JSON."""
    path = NOTEBOOKS / f"{notebook}.ipynb"
    if not path.exists():
        raise unknown("notebook", notebook, sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb")))
    return json.loads(path.read_text(encoding="utf-8"))


def _profile(profile: str, notebook: str) -> dict:
    """What notebooks/profiles/<profile>.yaml says for all notebooks, then for this one."""
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    path = NOTEBOOKS / "profiles" / f"{profile}.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values["every"] | (values.get(notebook) or {})


def _parameters_of(namespace: Mapping) -> dict:
    """Of a kernel's globals(): the names that its parameters cells, and papermill's, have set.

    The kernel's history `In` holds the cells' text. Names set later, by the notebook's own
    cells, are left alone, so that these can be run again in any order.
    """
    names = {}
    for source in namespace["In"]:
        try:
            found = parameters.assignments(source)
        except (ValueError, SyntaxError):
            continue  # not a parameters cell
        if "profile" in found or source.startswith("# Parameters"):
            names |= dict.fromkeys(found)
    return {name: namespace[name] for name in names}

"""How big a chapter's run is: a profile of notebooks/profiles/, changed by the given parameters.

Every chapter has the fields of `Common` and those of its own Options, a frozen dataclass whose
annotations carry type and help text. A parameter that is None is left to the profile, so that 0
and [] can be asked for, and mean what they say or are refused.
"""

import ast
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import GenericAlias, NoneType
from typing import Annotated, get_args, get_origin, get_type_hints

import yaml

from foqus_lib.errors import unknown

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PROFILES = "smoke", "quick", "overnight", "paper"
TEXT = yaml.SafeLoader.DEFAULT_SCALAR_TAG
INJECTED = "# Parameters"  # how papermill begins the cell that it adds
# Here, and not where they are used: to import those takes seconds.
LEAST = 5  # selection seeds for an interval; 2 give one that is 6 times as wide as 10
MOST_SEEDS = 1_000  # more are a slip, whose trials fill the memory before one runs
MULTIPLIES = "multiplies"  # third in an option's Annotated: it asks for as many trials again
NO_CUT = -1000.0  # dB: `snr_min` of who wants everything


@dataclass(frozen=True)
class Common:
    """What every chapter can be given. One field, one meaning, in every notebook."""

    profile: Annotated[str, "smoke, quick, overnight or paper"]
    dataset: Annotated[str, "a simulated set such as Sig2019-12-like, or the path of your own data"]
    frames: Annotated[int, "signals for each class and SNR; 0: the set's own size, a file's all"]
    snr_min: Annotated[float, "dB, lower signals are dropped"]
    split: Annotated[str, "positional, random or blocks (recordings whose frames overlap)"]
    normalise: Annotated[str, "native or rms"]
    train_share: Annotated[float, "of the signals, the rest is tested on; 0: the set's own"]
    val_share: Annotated[float, "of the training signals, to choose settings by; 0: none"]
    data_seed: Annotated[int, "of generated signals and of a random split"]
    seeds: Annotated[int, "how many: 0, 1, ..."]
    device: Annotated[str, "auto, cpu, cuda, cuda:1 ..."]
    workers: Annotated[int, "processes a sweep may use"]
    memory_gb: Annotated[float, "GiB a sweep may use (of a GPU: each process); 0: what is free"]
    scheduler: Annotated[str, "address of a Dask scheduler; empty: this machine's processes"]
    results: Annotated[str, "folder of the results store; relative: under the project's root"]

    def __post_init__(self) -> None:
        at_least("frames", self.frames, 0)
        at_least("seeds", self.seeds, 1)
        at_most("seeds", self.seeds, MOST_SEEDS)
        at_least("workers", self.workers, 1)
        at_least("memory_gb", self.memory_gb, 0)
        if math.isinf(self.memory_gb):
            raise ValueError("memory_gb: expected a finite number, got inf; 0 is what is free")
        at_least("data_seed", self.data_seed, 0)
        if not 0 <= self.train_share < 1:
            raise ValueError(f"train_share: expected 0 <= share < 1, got {self.train_share:g}")
        if not 0 <= self.val_share < 1:
            raise ValueError(f"val_share: expected 0 <= share < 1, got {self.val_share:g}")
        if not self.results.strip():
            raise ValueError("results: expected a folder, got ''; left out it is .foqus/store")

    @property
    def store(self) -> Path:
        """The results folder as a path that does not depend on where the kernel was started."""
        return ROOT / self.results  # an absolute path replaces ROOT

    @property
    def memory(self) -> int:
        """memory_gb in bytes."""
        return int(self.memory_gb * 2**30)


# Of Common, those that say which signals there are.
SIGNALS = (
    "dataset", "frames", "snr_min", "split", "normalise", "train_share", "val_share", "data_seed",
)  # fmt: skip


def at_least(name: str, value: float, least: float) -> None:
    """ValueError unless value >= least (NaN is not)."""
    if not value >= least:
        raise ValueError(f"{name}: expected {least} or more, got {value}")


def at_most(name: str, value: float, most: float) -> None:
    """ValueError unless value <= most."""
    if not value <= most:
        raise ValueError(f"{name}: expected at most {most}, got {value}. Ask for less")


@dataclass(frozen=True)
class Field:
    """A parameter of a chapter."""

    kind: type | GenericAlias  # str, int, float or tuple[one of them, ...]
    help: str
    multiplies: bool = False  # the number of trials, and is bounded as `seeds` is


def declared(*kinds: type) -> dict[str, Field]:
    """The parameters of a chapter with these dataclasses, by name."""
    found = {}
    for kind in kinds:
        for name, hint in get_type_hints(kind, include_extras=True).items():
            plain, words, *more = get_args(hint) if get_origin(hint) is Annotated else (hint, "")
            # "tuple[str, ...] | None": None is the default of the code, never typed by a user
            plain = next((k for k in get_args(plain) if k is not NoneType), plain) \
                if NoneType in get_args(plain) else plain  # fmt: skip
            found[name] = Field(plain, words, MULTIPLIES in more)
    return found


def read(notebook: str, section: str, options: type, given: Mapping) -> tuple[Common, object]:
    """(Common, options) of a notebook: the profile's values with `given` put over them.

    section: of the profile, for the chapters that share these options. `given` is a dict, or the
    notebook's own globals(), of which only parameters cells are read. Unknown names and wrong types
    are ValueErrors that say what is known.
    """
    known = declared(Common, options)
    given = asked(given)
    for name in given:
        if name not in known:
            raise unknown(f"parameter of {notebook}", name, known)
    profile = typed("profile", given.get("profile", "quick"), str)
    where = f"{notebook} in profile {profile}"
    values = _profile(profile, section, notebook)
    for name in values:
        if name not in known:
            raise unknown(f"setting of {where}", name, known)
    values = {"profile": profile} | values | given
    cast = {name: typed(name, value, known[name].kind) for name, value in values.items()}
    try:
        for name in (name for name in cast if known[name].multiplies):
            for number in cast[name] if isinstance(cast[name], tuple) else (cast[name],):
                at_most(name, number, MOST_SEEDS)
        return tuple(_made(kind, cast, where) for kind in (Common, options))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def asked(given: Mapping) -> dict:
    """What was asked for, of a dict or of a notebook's globals(): all that is not None."""
    given = _parameters_of(given) if "In" in given else given
    return {name: value for name, value in given.items() if value is not None}


def _made(kind: type, values: Mapping, where: str) -> object:
    names = {field.name for field in fields(kind)}
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if missing := needed - values.keys():
        raise ValueError(f"nothing is said about {', '.join(sorted(missing))}")
    return kind(**{name: value for name, value in values.items() if name in names})


def typed(name: str, value: object, kind: type | GenericAlias) -> object:
    """`value` as a `kind`: text is read as YAML, an int may stand for a float, nothing else."""
    if get_origin(kind) is tuple:
        value = _read_as(value, list)
        value = list(value) if isinstance(value, tuple) else value
        if type(value) is not list:
            raise ValueError(f"parameter {name}: expected a list such as [a, b], got {value!r}")
        return tuple(typed(name, item, get_args(kind)[0]) for item in value)
    read = _read_as(value, kind)
    if kind is float and type(read) is int:
        read = float(read)
    if type(read) is not kind:
        raise ValueError(f"parameter {name}: expected one {kind.__name__}, got {value!r}")
    return read


def _read_as(value: object, kind: type) -> object:
    if not isinstance(value, str) or kind is str:
        return value
    if kind in (int, float):
        with suppress(ValueError):
            if math.isfinite(number := kind(value)):  # YAML 1.1 reads 1e-3 as text, 010 as 8
                return number
    try:
        return yaml.load(value, _AsPeopleRead)
    except yaml.YAMLError:
        return value


class _AsPeopleRead(yaml.SafeLoader):
    """YAML in which 1:30 (90 in YAML 1.1), 010 (8) and 0x10 are text, also in a list."""

    def resolve(self, kind: type, value: str | None, implicit: object) -> str:
        found = super().resolve(kind, value, implicit)
        number = found.endswith((":int", ":float"))
        return TEXT if number and re.search(r":|^[-+]?0\w", value) else found


def source(notebook: str) -> dict:
    """The notebook of that name in notebooks/, as JSON."""
    path = NOTEBOOKS / f"{notebook}.ipynb"
    if not path.exists():
        raise unknown("notebook", notebook, sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb")))
    return json.loads(path.read_text(encoding="utf-8"))


def shown(notebook: Mapping) -> dict[str, object]:
    """The literals of a notebook's cell tagged 'parameters': {name: default}."""
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            return assignments("".join(cell["source"]))
    raise ValueError("no cell is tagged 'parameters'")


def assignments(source: str) -> dict[str, object]:
    """{name: value} of lines such as `seeds: int = None  # comment`, else ValueError."""
    found = {}
    for node in ast.parse(source).body:
        try:
            name = (node.target if isinstance(node, ast.AnnAssign) else node.targets[0]).id
            found[name] = ast.literal_eval(node.value)
        except (AttributeError, ValueError):
            raise ValueError(
                f"parameters cell: expected lines such as `seeds: int = None  # comment`, "
                f"got {ast.unparse(node)!r}"
            ) from None
    return found


def _profile(profile: str, section: str, notebook: str) -> dict:
    """What notebooks/profiles/<profile>.yaml says for all, for this section, for this notebook."""
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    path = NOTEBOOKS / "profiles" / f"{profile}.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values["every"] | (values.get(section) or {}) | (values.get(notebook) or {})


def _parameters_of(namespace: Mapping) -> dict:
    """Of a kernel's globals(): the names that its parameters cells, and papermill's, have set.

    The kernel's history `In` holds the cells' text. Names set later, by the notebook's own
    cells, are left alone, so that these can be run again in any order. papermill writes names as
    raw code: an injected cell that holds anything but literals is refused.
    """
    names = {}
    for text in _history(namespace):
        try:
            found = assignments(text)
        except (ValueError, SyntaxError) as error:
            if text.startswith(INJECTED):
                raise ValueError(f"the injected parameters are no plain values: {error}") from None
            continue  # not a parameters cell
        if "profile" in found or text.startswith(INJECTED):
            names |= dict.fromkeys(found)
    return {name: namespace[name] for name in names}


def _history(namespace: Mapping) -> list[str]:
    """The cells' text; ValueError if a parameter called `In` has taken its place.

    IPython keeps the same list as `_ih`.
    """
    cells = namespace["In"]
    if not isinstance(cells, list) or cells is not namespace.get("_ih", cells):
        raise ValueError(
            f"parameter In: expected the kernel's own list of cells, got {str(cells)[:60]!r}. No "
            "parameter is called In: leave it out"
        )
    return cells

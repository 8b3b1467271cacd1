"""A cell: one (data, networks, method, rate, seed, recipes) of the grid, the key of one result."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from hashlib import sha256

from foqus_lib.errors import unknown

# Raised by hand when a change of the library changes results: old results then count as missing.
ALGORITHM = 1

ALL_DATA = "All data"
NO_NETWORK = (
    "Uniform",
    ALL_DATA,
)  # methods that look at no network: every table shares their cells
NONE = "-"  # their selection_model and selection_recipe


@dataclass(frozen=True)
class Cell:
    """All fields are str or int: 1 and 1.0, or the spellings of 0.3, must not be several cells."""

    dataset: str
    fingerprint: str  # SHA-256 of the training and test signals
    selection_model: str  # the network the method looks at; "-" if it looks at none
    evaluation_model: str  # the network trained on the coreset
    method: str
    rate_bp: int  # |S|/N in basis points: 1 % is 100, all data is 10000
    seed: int
    selection_recipe: str
    evaluation_recipe: str

    def __post_init__(self) -> None:
        _check_fields(asdict(self))

    @property
    def rate(self) -> float:
        """|S|/N as a fraction."""
        return self.rate_bp / 10_000

    @property
    def key(self) -> dict[str, str | int]:
        """The fields and the version of the algorithm: what the name is made of."""
        return asdict(self) | {"algorithm": ALGORITHM}

    @cached_property
    def name(self) -> str:
        """Content address of the key; the result's file name."""
        return name_of(self.key)


def check_key(key: Mapping[str, object]) -> None:
    """Refuse whatever has more than one spelling: floats, bools, None, lists."""
    for field, value in key.items():
        if type(value) not in (str, int):
            raise ValueError(
                f"cell.{field}: expected str or int, got {value!r} ({type(value).__name__}); "
                "rates are basis points (0.05 is 500), other numbers go in as text"
            )


def _check_fields(given: Mapping[str, object]) -> None:
    wanted = {field.name: field.type for field in fields(Cell)}
    for field in given:
        if field not in wanted:
            raise unknown("cell field", field, wanted)
    if missing := [field for field in wanted if field not in given]:
        raise ValueError(f"cell: missing {', '.join(missing)}; expected {', '.join(wanted)}")
    check_key(given)
    for field, kind in wanted.items():
        if type(given[field]) is not kind:
            raise ValueError(f"cell.{field}: expected {kind.__name__}, got {given[field]!r}")
        if given[field] == "":
            raise ValueError(f"cell.{field}: expected a name, got ''")
    rate_bp, seed = given["rate_bp"], given["seed"]
    if not 1 <= rate_bp <= 10_000:
        raise ValueError(f"cell.rate_bp: expected 1 to 10000 (0.05 is 500), got {rate_bp}")
    if seed < 0:
        raise ValueError(f"cell.seed: expected 0 or more, got {seed}")
    if given["method"] == ALL_DATA and rate_bp != 10_000:
        raise ValueError(f"cell.rate_bp: {ALL_DATA!r} keeps 10000 of 10000, got {rate_bp}")


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted, no spaces, no NaN; numpy scalars become numbers."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=lambda x: x.item()
    )


def name_of(key: Mapping[str, object]) -> str:
    """SHA-256 of the canonical JSON of a key."""
    check_key(key)
    return sha256(canonical(dict(key)).encode()).hexdigest()


def from_key(key: Mapping[str, object]) -> Cell:
    """A Cell from its fields by name, as read from a file; "algorithm" may stand among them."""
    given = {field: value for field, value in key.items() if field != "algorithm"}
    _check_fields(given)
    return Cell(**given)


def basis_points(rate: float) -> int:
    """0.05 -> 500; refuses what is no whole number of basis points, 0 or less, or above 1."""
    if isinstance(rate, bool) or not 0 < rate <= 1:
        raise ValueError(f"rate: expected 0 < |S|/N <= 1, got {rate!r}; 5 % is 0.05")
    points = round(rate * 10_000)
    if points == 0 or points / 10_000 != rate:
        raise ValueError(
            f"rate: expected whole basis points (multiples of 0.0001), got {rate!r}; "
            f"the nearest is {max(points, 1) / 10_000}"
        )
    return points


def cell(
    *,
    dataset: str,
    fingerprint: str,
    selection_model: str,
    evaluation_model: str,
    method: str,
    rate: float,
    seed: int,
    selection_recipe: str,
    evaluation_recipe: str,
) -> Cell:
    """A Cell from a rate as the paper writes it; Uniform and All data forget the selection side."""
    blind = method in NO_NETWORK
    return Cell(
        dataset=dataset,
        fingerprint=fingerprint,
        selection_model=NONE if blind else selection_model,
        evaluation_model=evaluation_model,
        method=method,
        rate_bp=basis_points(rate),
        seed=seed,
        selection_recipe=NONE if blind else selection_recipe,
        evaluation_recipe=evaluation_recipe,
    )


def grid(
    *,
    dataset: str,
    fingerprint: str,
    pairs: Iterable[tuple[str, str]],
    methods: Sequence[str],
    rates: Sequence[float],
    seeds: Sequence[int],
    selection_recipe: str,
    evaluation_recipe: str,
) -> list[Cell]:
    """Every (selection -> evaluation) pair x method x rate x seed once, pairs outermost.

    All data is trained once a seed, whatever the rates; shared cells stand where first needed.
    """
    cells = [
        cell(
            dataset=dataset,
            fingerprint=fingerprint,
            selection_model=selection_model,
            evaluation_model=evaluation_model,
            method=method,
            rate=rate,
            seed=seed,
            selection_recipe=selection_recipe,
            evaluation_recipe=evaluation_recipe,
        )
        for selection_model, evaluation_model in pairs
        for method in methods
        for rate in ([1.0] if method == ALL_DATA else rates)
        for seed in seeds
    ]
    return list(dict.fromkeys(cells))

"""Cells: one spelling, one name; what has two spellings is refused when the key is built (K01)."""

from dataclasses import asdict
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.experiment.cell import Cell, basis_points, cell, from_key, grid, name_of

FIELDS = {
    "dataset": "RML2016.10a-like",
    "fingerprint": "ab" * 32,
    "selection_model": "CNN1D",
    "evaluation_model": "CNN2D",
    "method": "FoQuS",
    "seed": 0,
    "selection_recipe": "Adam epochs=50",
    "evaluation_recipe": "Adam epochs=50",
}
RECIPES = {"selection_recipe": "Adam epochs=50", "evaluation_recipe": "Adam epochs=50"}


def test_name_is_stable_and_tells_every_field_apart():
    one = Cell(**FIELDS, rate_bp=500)
    # Origin: sha256sum over the canonical JSON of the key, written out by hand.
    text = (
        '{"algorithm":1,"dataset":"RML2016.10a-like","evaluation_model":"CNN2D",'
        '"evaluation_recipe":"Adam epochs=50","fingerprint":"' + "ab" * 32 + '","method":"FoQuS",'
        '"rate_bp":500,"seed":0,"selection_model":"CNN1D","selection_recipe":"Adam epochs=50"}'
    )
    assert one.name == sha256(text.encode()).hexdigest()
    assert one == cell(**FIELDS, rate=0.05)
    others = [
        from_key(asdict(one) | {field: 7 if isinstance(value, int) else "other"})
        for field, value in asdict(one).items()
    ]
    assert len({c.name for c in [one, *others]}) == len(asdict(one)) + 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rate_bp", 0.05, "rate_bp: expected str or int, got 0.05"),
        ("rate_bp", float("nan"), "rate_bp: expected str or int, got nan"),
        ("rate_bp", True, "rate_bp: expected str or int, got True"),
        ("seed", 1.0, "seed: expected str or int, got 1.0"),
        ("seed", None, "seed: expected str or int, got None"),
        ("seed", "1", "seed: expected int, got '1'"),
        ("dataset", 3, "dataset: expected str, got 3"),
        ("dataset", "", "dataset: expected a name"),
        ("rate_bp", 0, "rate_bp: expected 1 to 10000"),
        ("rate_bp", 10_001, "rate_bp: expected 1 to 10000"),
        ("seed", -1, "seed: expected 0 or more"),
    ],
)
def test_k01_refused_when_built(field, value, message):
    with pytest.raises(ValueError, match=message):
        from_key(FIELDS | {"rate_bp": 500, field: value})


def test_k01_unknown_and_missing_fields():
    key = Cell(**FIELDS, rate_bp=500).key
    assert from_key(key) == Cell(**FIELDS, rate_bp=500)
    with pytest.raises(ValueError, match="unknown cell field 'sed'; did you mean 'seed'"):
        from_key(key | {"sed": 1})
    with pytest.raises(ValueError, match="missing seed"):
        from_key({field: value for field, value in key.items() if field != "seed"})
    with pytest.raises(ValueError, match="expected str or int"):
        name_of({"lr": 0.001})


@given(st.integers(1, 10_000))
def test_every_basis_point_survives_the_round_trip(points):
    assert basis_points(points / 10_000) == points


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.01, float("nan"), 0.1 + 0.2, 0.00001, True])
def test_other_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rate: expected"):
        basis_points(rate)


def test_methods_without_a_network_share_their_cells():
    uniform = FIELDS | {"method": "Uniform"}
    from_cnn1d = cell(**uniform, rate=0.01)
    from_cnn2d = cell(**(uniform | {"selection_model": "CNN2D"}), rate=0.01)
    assert from_cnn1d == from_cnn2d
    assert (from_cnn1d.selection_model, from_cnn1d.selection_recipe) == ("-", "-")
    with pytest.raises(ValueError, match="keeps 10000 of 10000"):
        cell(**(FIELDS | {"method": "All data"}), rate=0.5)


def test_grid_is_ordered_and_has_no_cell_twice():
    cells = grid(
        dataset="d",
        fingerprint="f",
        pairs=[("CNN1D", "CNN1D"), ("CNN2D", "CNN1D")],
        methods=["Uniform", "FoQuS", "All data"],
        rates=[0.01, 0.05],
        seeds=[0, 1],
        **RECIPES,
    )
    assert len(cells) == len(set(cells)) == 2 * 2 + 2 * 2 * 2 + 2
    brief = [(c.selection_model, c.method, c.rate_bp, c.seed) for c in cells]
    assert brief[:3] == [
        ("-", "Uniform", 100, 0),
        ("-", "Uniform", 100, 1),
        ("-", "Uniform", 500, 0),
    ]
    assert brief[8:10] == [("-", "All data", 10_000, 0), ("-", "All data", 10_000, 1)]
    assert brief[10:] == [("CNN2D", "FoQuS", r, s) for r in (100, 500) for s in (0, 1)]

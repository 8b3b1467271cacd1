"""Trials: one spelling, one name; what has two spellings is refused when the key is built (K01)."""

from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import jaxtyping
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foqus_lib.experiment.key import FIELDS, Trial, basis_points, canonical, from_key, name_of

ONE = Trial(
    study="coreset",
    version=1,
    dataset="RML2016.10a-like",
    fingerprint="ab" * 32,
    method="FoQuS",
    budget=500,
    seed=0,
    repeat=2,
    settings=(("evaluation_model", "CNN2D"), ("versions", "FoQuS=1 fit=2")),
)


def test_name_is_stable_and_tells_every_field_and_setting_apart():
    # Origin: sha256sum over the canonical JSON of the key, written out by hand.
    text = (
        '{"budget":500,"dataset":"RML2016.10a-like","evaluation_model":"CNN2D","fingerprint":"'
        + "ab" * 32
        + '","method":"FoQuS","repeat":2,"seed":0,"study":"coreset","version":1,'
        '"versions":"FoQuS=1 fit=2"}'
    )
    assert ONE.name == sha256(text.encode()).hexdigest()
    others = [
        from_key(ONE.key | {name: 7 if isinstance(value, int) else "other"})
        for name, value in ONE.key.items()
    ]
    assert len({one.name for one in [ONE, *others]}) == len(ONE.key) + 1


def test_a_trial_on_a_task_has_its_name_and_print_and_its_settings_in_order():
    task = SimpleNamespace(name=ONE.dataset, fingerprint=ONE.fingerprint)
    found = {"versions": "FoQuS=1 fit=2", "evaluation_model": "CNN2D"}
    assert Trial.on(task, "coreset", 1, "FoQuS", 500, 0, 2, **found) == ONE
    assert Trial.on(task, "coreset", 1, "FoQuS", 500, 0, **found) == replace(ONE, repeat=0)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("budget", 0.05, r"trial\.budget: expected int, got 0.05 \(float\); rates are basis"),
        ("budget", float("nan"), "trial.budget: expected int, got nan"),
        ("budget", True, "trial.budget: expected int, got True"),
        ("seed", 1.0, "seed: expected int, got 1.0"),
        ("seed", None, "seed: expected int, got None"),
        ("seed", "1", "seed: expected int, got '1'"),
        ("dataset", 3, "dataset: expected str, got 3"),
        ("dataset", "", "dataset: expected a name"),
        ("budget", -1, "budget: expected 0 or more, got -1"),
        ("seed", -1, "seed: expected 0 or more"),
        ("repeat", -1, "repeat: expected 0 or more"),
        ("versions", 0.5, "trial.versions: expected str, got 0.5"),
        ("versions", 1, "trial.versions: expected str, got 1"),
        ("versions", "", "versions: expected a name"),
    ],
)
def test_k01_refused_when_built(field, value, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as outside of tests
    with pytest.raises(ValueError, match=message):
        from_key(ONE.key | {field: value})


def test_k01_a_key_read_back_is_the_trial_and_a_missing_field_is_named():
    assert from_key(ONE.key) == ONE
    with pytest.raises(ValueError, match="missing seed"):
        from_key({field: value for field, value in ONE.key.items() if field != "seed"})
    with pytest.raises(ValueError, match="expected str or int"):
        name_of({"lr": 0.001})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((("b", "1"), ("a", "1")), r"distinct names in order, got \['b', 'a'\]"),
        ((("a", "1"), ("a", "2")), "distinct names in order"),
        ((("seed", "1"),), r"\['seed'\] are fields of every trial"),
    ],
)
def test_k01_settings_have_one_order_and_no_name_twice(settings, message):
    with pytest.raises(ValueError, match=message):
        replace(ONE, settings=settings)


def test_a_setting_is_asked_for_by_name_and_a_wrong_one_offers_the_nearest():
    assert ONE["evaluation_model"] == "CNN2D"
    with pytest.raises(ValueError, match="'evaluation_modell'; did you mean 'evaluation_model'"):
        ONE["evaluation_modell"]
    assert "evaluation_model" not in FIELDS


def test_canonical_json_has_one_order_and_no_nan():
    assert canonical({"b": [1, 0.5], "a": "x"}) == '{"a":"x","b":[1,0.5]}'
    assert canonical({"n": np.int64(3), "x": np.float32(0.5)}) == '{"n":3,"x":0.5}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


@given(st.integers(1, 10_000))
def test_every_basis_point_survives_the_round_trip(points):
    assert basis_points(points / 10_000) == points


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.01, float("nan"), 0.1 + 0.2, 0.00001, True])
def test_other_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rate: expected"):
        basis_points(rate)


@pytest.mark.parametrize(("rate", "nearest"), [(0.05004, 0.05), (0.00001, 0.0001)])
def test_the_nearest_rate_that_is_one_is_named(rate, nearest):
    with pytest.raises(ValueError, match=f"the nearest is {nearest}$"):
        basis_points(rate)

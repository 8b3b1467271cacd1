"""Names, types and ranges of what a notebook is given, from a dict and from a kernel's globals."""

import json

import pytest
import yaml

from foqus_lib.experiment import parameters, profiles

CELL = """\
profile: str = "quick"  # smoke, quick or paper
snr_min: str = ""  # dB
rates: list = []  # |S|/N
methods: list = []  # empty: all
seeds: int = 0  # how many
"""


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """A folder of one notebook, 03_toy, beside the project's own profiles."""
    (tmp_path / "profiles").symlink_to(profiles.NOTEBOOKS / "profiles")
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL}
    (tmp_path / "03_toy.ipynb").write_text(json.dumps({"cells": [cell]}))
    monkeypatch.setattr(profiles, "NOTEBOOKS", tmp_path)


def test_left_at_their_defaults_nothing_changes():
    quick = profiles.settings("03_toy", {})
    given = {"profile": "quick", "snr_min": "", "rates": [], "methods": [], "seeds": 0}
    assert quick == profiles.settings("03_toy", given)
    assert quick.snr_min == 10 and type(quick.snr_min) is float


@pytest.mark.parametrize(
    "name, value, wanted",
    [
        ("seeds", 5, 5),
        ("seeds", "5", 5),
        ("snr_min", 0, 0.0),  # papermill's -p makes an int of it; 0 dB is not the default ""
        ("snr_min", "-4", -4.0),
        ("rates", [0.2, 1], (0.2, 1.0)),
        ("rates", "[0.2, 1]", (0.2, 1.0)),
        ("methods", "[FoQuS, k-Center Greedy]", ("FoQuS", "k-Center Greedy")),
    ],
)
def test_given_values_replace_the_profile_s(name, value, wanted):
    assert getattr(profiles.settings("03_toy", {name: value}), name) == wanted


@pytest.mark.parametrize(
    "given, words",
    [
        ({"sedes": 1}, "did you mean 'seeds'"),
        ({"frames": 1}, "unknown parameter of 03_toy"),  # a setting, but not one it declares
        ({"x=0; print(1)#": 1}, "unknown parameter"),  # papermill writes names as code
        ({"seeds": "many"}, "seeds: expected one int, got 'many'"),
        ({"seeds": True}, "seeds: expected one int"),
        ({"seeds": False}, "seeds: expected one int"),
        ({"seeds": -1}, "seeds: expected 1 or more, got -1"),
        ({"seeds": 1.0}, "seeds: expected one int"),
        ({"rates": 0.1}, "rates: expected a list"),
        ({"rates": ["a"]}, "rates: expected one float, got 'a'"),
        ({"rates": [0.0]}, "rates: expected 0 < rate <= 1, got 0"),
        ({"rates": [1.5]}, "got 1.5"),
        ({"snr_min": None}, "snr_min: expected one float"),
        ({"profile": "quik"}, "did you mean 'quick'"),
    ],
)
def test_wrong_ones_are_refused(given, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        profiles.settings("03_toy", given)


def test_unknown_notebook():
    with pytest.raises(ValueError, match="did you mean '03_toy'"):
        profiles.settings("03_toi", {})


def test_globals_are_read_for_parameters_only():
    """papermill's cell and the notebook's own count; what later cells set does not."""
    injected = '# Parameters\nprofile = "smoke"\nseeds = 4\n'
    later = "rate = 0.1\nn = 3\n"
    kernel = {"In": ["", CELL, injected, later], "Out": {}, "rate": 0.1, "n": 3, "seeds": 4}
    kernel |= {"profile": "smoke", "snr_min": "", "rates": [], "methods": []}
    made = profiles.settings("03_toy", kernel)
    assert (made.profile, made.seeds) == ("smoke", 4)


@pytest.mark.parametrize(
    "cell", ["# Parameters\nsedes = 4\n", CELL + "sedes: int = 4\n"], ids=["papermill", "by hand"]
)
def test_a_misspelt_global_is_refused(cell):
    kernel = {"In": [CELL, cell], "profile": "smoke", "snr_min": "", "rates": [], "methods": []}
    with pytest.raises(ValueError, match="did you mean 'seeds'"):
        profiles.settings("03_toy", kernel | {"seeds": 0, "sedes": 4})


@pytest.mark.parametrize("profile", profiles.PROFILES)
def test_profiles_say_everything_and_nothing_unknown(profile):
    values = yaml.safe_load((profiles.NOTEBOOKS / "profiles" / f"{profile}.yaml").read_text())
    known = set(profiles.Settings.__dataclass_fields__) - {"profile"}
    assert set(values.pop("every")) == known
    for notebook, own in values.items():
        assert own.keys() <= known, notebook


def test_paper_profile_is_the_paper_s():
    made = profiles.settings("03_toy", {"profile": "paper"})
    assert (made.frames, made.epochs, made.seeds) == (1000, 50, 3)  # Sec. IV-A, IV-B
    assert made.rates == (0.01, 0.05, 0.1, 0.2, 0.3)
    assert (made.early_runs, made.early_epochs) == (10, 5)  # baselines.md 2.5


def test_pairs_and_store_are_taken_apart():
    made = profiles.settings("03_toy", {})
    arrows = profiles.Settings(**{**made.__dict__, "pairs": ("CNN1D -> CNN2D", "A->B")})
    assert arrows.model_pairs == [("CNN1D", "CNN2D"), ("A", "B")]
    assert made.store == profiles.ROOT / ".foqus" / "store"


@pytest.mark.parametrize("source", ["import os", "x = f()", "a.b = 1", "x: int"])
def test_parameters_cell_holds_literals_only(source):
    with pytest.raises(ValueError, match="parameters cell"):
        parameters.assignments(source)


DECLARED = {"seed": (0, ""), "beta": (0.1, ""), "cut": (True, ""), "name": ("x", ""), "r": ([], "")}


@pytest.mark.parametrize(
    "name, given, wanted",
    [
        ("seed", "3", 3),
        ("beta", "1", 1.0),
        ("cut", "false", False),
        ("name", "0123", "0123"),
        ("r", "[0.2]", [0.2]),
    ],
)
def test_command_line_text_takes_the_default_s_type(name, given, wanted):
    value = parameters.checked(DECLARED, {name: given})[name]
    assert value == wanted and type(value) is type(wanted)


@pytest.mark.parametrize(
    "given", [{"sede": "1"}, {"seed": "1.0"}, {"seed": "true"}, {"cut": "maybe"}, {"r": "0.1"}]
)
def test_wrong_command_line_text_is_refused(given):
    with pytest.raises(ValueError, match="parameter"):
        parameters.checked(DECLARED, given)

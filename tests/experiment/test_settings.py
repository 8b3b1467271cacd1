"""Names, types and ranges of what a chapter is given, from a dict and from a kernel's globals."""

import re
from dataclasses import dataclass, replace
from typing import Annotated

import pytest
import yaml

from foqus_lib.experiment import settings
from foqus_lib.experiment.settings import Common
from foqus_lib.studies.catalog import CHAPTERS, opened, parameters
from foqus_lib.studies.coreset.grid import Options

CELL = """\
profile: str = "quick"  # smoke, quick, overnight or paper
snr_min: float = None  # dB
rates: list = None  # |S|/N
methods: list = None  # left out: all
seeds: int = None  # how many
"""
KERNEL = {"profile": "quick", "snr_min": None, "rates": None, "methods": None, "seeds": None}


def read(given, notebook="03_main_tables"):
    return settings.read(notebook, "coreset", Options, given)


def value(name, given):
    common, options = read(given)
    return (vars(common) | vars(options))[name]


def test_none_leaves_it_to_the_profile():
    assert read({}) == read(KERNEL) == read({"profile": "quick"})
    common, options = read({})
    assert common.snr_min == 10 and type(common.snr_min) is float
    assert options.rates == (0.05, 0.1) and common.seeds == 2


@pytest.mark.parametrize(
    "name, given, wanted",
    [
        ("seeds", 5, 5),
        ("seeds", "5", 5),
        ("snr_min", 0, 0.0),  # papermill's -p makes an int of it
        ("snr_min", "-4", -4.0),
        ("rates", [0.2, 1], (0.2, 1.0)),
        ("rates", "[0.2, 1]", (0.2, 1.0)),
        ("methods", "[FoQuS, k-Center Greedy]", ("FoQuS", "k-Center Greedy")),
        ("memory_gb", "1", 1.0),
        ("repeats", "[010, 2]", (10, 2)),  # 8 in YAML 1.1
        ("results", "0123", "0123"),
    ],
)
def test_given_values_replace_the_profile_s(name, given, wanted):
    found = value(name, {name: given})
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("given", [0, "0"])
def test_zero_is_a_value_and_not_the_profile_s(given, tmp_path, monkeypatch):
    """In the notebooks of old 0 meant: as the profile has it. Here the profile says 5."""
    (tmp_path / "profiles").mkdir()
    quick = yaml.safe_load((settings.NOTEBOOKS / "profiles/quick.yaml").read_text())
    quick["coreset"]["test_every"] = 5
    (tmp_path / "profiles/quick.yaml").write_text(yaml.safe_dump(quick))
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path)
    assert value("test_every", {"test_every": None}) == 5
    assert value("test_every", {"test_every": given}) == 0
    assert value("early_runs", {"early_runs": given}) == 0 != value("early_runs", {})
    assert value("frames", {"frames": given}) == 0 != value("frames", {})


@pytest.mark.parametrize(
    "given, words",
    [
        ({"sedes": 1}, "unknown parameter of 03_main_tables 'sedes'; did you mean 'seeds'"),
        ({"x=0; print(1)#": 1}, "unknown parameter"),  # papermill writes names as code
        ({"seeds": "many"}, "seeds: expected one int, got 'many'"),
        ({"seeds": True}, "seeds: expected one int"),
        ({"seeds": False}, "seeds: expected one int"),
        ({"seeds": 0}, "seeds: expected 1 or more, got 0"),
        ({"seeds": "0"}, "seeds: expected 1 or more, got 0"),
        ({"seeds": -1}, "seeds: expected 1 or more, got -1"),
        ({"seeds": 1001}, "seeds: expected at most 1000, got 1001"),
        ({"seeds": 1.0}, "seeds: expected one int"),
        ({"rates": 0.1}, "rates: expected a list"),
        ({"rates": ["a"]}, "rates: expected one float, got 'a'"),
        ({"rates": []}, "rates: expected at least one, got []. Leave it out for all"),
        ({"rates": [0.0]}, "rate: expected 0 < |S|/N <= 1, got 0"),
        ({"rates": [1.5]}, "got 1.5"),
        ({"rates": [0.00001]}, "rate: expected whole basis points"),
        ({"methods": []}, "methods: expected at least one, got []"),
        ({"later_methods": []}, "later_methods: expected at least one, got []"),
        ({"models": []}, "models: expected at least one, got []"),
        ({"methods": ["FoQus"]}, "unknown method 'FoQus'; did you mean 'FoQuS'"),
        ({"models": ["CNN1"]}, "unknown model 'CNN1'; did you mean 'CNN1D'"),
        ({"pairs": ["CNN1D -> CNN3D"]}, "unknown model 'CNN3D'"),
        ({"pairs": ["CNN1D"]}, "pairs: expected such as 'CNN1D -> CNN2D', got 'CNN1D'"),
        ({"optimiser": "adam"}, "unknown optimiser 'adam'; did you mean 'Adam'"),
        ({"precision": "fp16"}, "unknown precision 'fp16'"),
        ({"repeats": [0]}, "repeats: expected 1 or more, got 0"),
        ({"repeats": [1, 2, 3]}, "repeats: expected 1 number, or 2 as there are rates"),
        ({"epochs": 0}, "epochs: expected 1 or more, got 0"),
        ({"selection_epochs": 1}, "selection_epochs: expected 2 or more, got 1"),
        ({"batch": 0}, "batch: expected 1 or more, got 0"),
        ({"test_every": -1}, "test_every: expected 0 or more, got -1"),
        ({"workers": 0}, "workers: expected 1 or more, got 0"),
        ({"memory_gb": -1}, "memory_gb: expected 0 or more, got -1"),
        ({"memory_gb": ".inf"}, "memory_gb: expected a finite number, got inf"),
        ({"seeds": "1:30"}, "seeds: expected one int, got '1:30'"),
        ({"snr_min": "1:30.5"}, "snr_min: expected one float, got '1:30.5'"),
        ({"rates": "[0.1, 1:30]"}, "rates: expected one float, got '1:30'"),
        ({"memory_gb": ".nan"}, "memory_gb: expected 0 or more, got nan"),
        ({"train_share": 1}, "train_share: expected 0 <= share < 1, got 1"),
        ({"results": ""}, "results: expected a folder, got ''"),
        ({"results": "  "}, "results: expected a folder, got ''"),
        ({"snr_min": "low"}, "snr_min: expected one float, got 'low'"),
        ({"profile": "quik"}, "did you mean 'quick'"),
    ],
)
def test_wrong_ones_are_refused(given, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        read(given)


def test_unknown_notebook():
    with pytest.raises(ValueError, match="unknown chapter '03_main_tabels'; did you mean '03_main"):
        opened("03_main_tabels", {})


def test_globals_are_read_for_parameters_only():
    """papermill's cell and the notebook's own count; what later cells set does not."""
    injected = '# Parameters\nprofile = "smoke"\nseeds = 4\n'
    later = "rate = 0.1\nn = 3\n"
    kernel = {"In": ["", CELL, injected, later], "Out": {}, "rate": 0.1, "n": 3}
    common, _ = read(kernel | KERNEL | {"profile": "smoke", "seeds": 4})
    assert (common.profile, common.seeds) == ("smoke", 4)


@pytest.mark.parametrize(
    "cell", ["# Parameters\nsedes = 4\n", CELL + "sedes: int = 4\n"], ids=["papermill", "by hand"]
)
def test_a_misspelt_global_is_refused(cell):
    with pytest.raises(ValueError, match="did you mean 'seeds'"):
        read({"In": [CELL, cell], "sedes": 4} | KERNEL)


@pytest.mark.parametrize(
    "line",
    ["x = open('hit', 'w')", "seeds = 3; import os", "seeds = [1 for _ in 'ab']", "x = 0; y.z = 1"],
)
def test_injected_code_is_refused_whatever_name_it_hides_in(line):
    """papermill writes the name of a parameter as raw code, so a name can hold a program."""
    with pytest.raises(ValueError, match="the injected parameters are no plain values"):
        read({"In": [CELL, f"# Parameters\n{line}\n"]} | KERNEL)


@pytest.mark.parametrize("given", [[], ["profile = 'paper'"], 3, "[]"], ids=str)
def test_a_parameter_that_takes_the_place_of_the_kernels_history_is_refused(given):
    """papermill -y 'In: []' hides every other parameter from us."""
    kernel = {"_ih": ["", CELL, f"# Parameters\nIn = {given!r}\n"], "In": given} | KERNEL
    with pytest.raises(ValueError, match="parameter In: expected the kernel's own list of cells"):
        read(kernel)
    history = ["", CELL]
    read({"_ih": history, "In": history} | KERNEL)


def test_no_parameter_given_by_name_is_taken_for_a_kernels_history():
    with pytest.raises(ValueError, match="parameter In: .* got '3'. No parameter is called In"):
        read({"In": "3"})


@pytest.mark.parametrize("profile", settings.PROFILES)
def test_profiles_say_everything_and_nothing_unknown(profile):
    values = yaml.safe_load((settings.NOTEBOOKS / "profiles" / f"{profile}.yaml").read_text())
    assert set(values.pop("every")) == set(settings.declared(Common)) - {"profile"}
    studies = {chapter.study.name: chapter.options for chapter in CHAPTERS.values()}
    for section, own in values.items():
        kind = studies[section] if section in studies else CHAPTERS[section].options
        assert own.keys() <= settings.declared(Common, kind).keys(), section


def test_every_profile_opens_every_chapter():
    for profile in settings.PROFILES:
        for notebook in CHAPTERS:
            assert opened(notebook, {"profile": profile}).common.profile == profile


def test_paper_profile_is_the_paper_s():
    common, options = read({"profile": "paper"})
    assert (common.frames, options.epochs, common.seeds) == (1000, 50, 3)  # Sec. IV-A, IV-B
    assert options.rates == (0.01, 0.05, 0.1, 0.2, 0.3)
    assert (options.early_runs, options.early_epochs) == (10, 5)  # baselines.md 2.5


def test_the_store_does_not_depend_on_where_the_kernel_was_started(tmp_path):
    common, _ = read({})
    assert common.store == settings.ROOT / ".foqus" / "store"
    assert replace(common, results=str(tmp_path)).store == tmp_path
    assert replace(common, memory_gb=1.5).memory == 3 * 2**29


def test_every_parameter_has_a_help_text():
    for notebook in CHAPTERS:
        assert all(field.help for field in parameters(notebook).values())


@dataclass(frozen=True)
class Odd:
    """Another chapter's options."""

    ponds: Annotated[tuple[int, ...] | None, "which"]
    mud: Annotated[float, "m"] = 0.5


def test_another_chapter_s_options_are_read_alike():
    assert settings.declared(Odd)["ponds"].kind == tuple[int, ...]
    _, odd = settings.read("99", "ponds", Odd, {"ponds": "[3, 4]", "mud": 2})
    assert odd == Odd((3, 4), 2.0)
    with pytest.raises(ValueError, match="99 in profile quick: nothing is said about ponds"):
        settings.read("99", "ponds", Odd, {})
    with pytest.raises(ValueError, match="unknown parameter of 99 'rates'"):
        settings.read("99", "ponds", Odd, {"rates": [0.1]})


@pytest.mark.parametrize("source", ["import os", "x = f()", "a.b = 1", "x: int"])
def test_parameters_cell_holds_literals_only(source):
    with pytest.raises(ValueError, match="parameters cell"):
        settings.assignments(source)


KINDS = {"seed": int, "beta": float, "cut": bool, "name": str, "r": tuple[float, ...]}


@pytest.mark.parametrize(
    "name, given, wanted",
    [
        ("seed", "3", 3),
        ("beta", "1", 1.0),
        ("beta", "1e-3", 0.001),
        ("seed", "010", 10),
        ("r", "[1e-2, 0.05]", (0.01, 0.05)),
        ("cut", "false", False),
        ("name", "0123", "0123"),
        ("r", "[0.2]", (0.2,)),
        ("r", "[]", ()),
    ],
)
def test_command_line_text_takes_the_declared_type(name, given, wanted):
    found = settings.typed(name, given, KINDS[name])
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    "name, given",
    [("seed", "1.0"), ("seed", "true"), ("cut", "maybe"), ("r", "0.1"), ("r", "[a]"), ("beta", "")],
)
def test_wrong_command_line_text_is_refused(name, given):
    with pytest.raises(ValueError, match=f"parameter {name}: expected"):
        settings.typed(name, given, KINDS[name])

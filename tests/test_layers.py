"""Data flow one way: an import may only point down, and some rooms must not know some things."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "foqus_lib"
GROUND = {"signals", "splits", "seeds", "evidence", "errors", "durable", "processes", "checkout",
          "outputs"}  # fmt: skip
BELOW = {"ground", "datasets", "models", "selection", "training"}
MAY_IMPORT = {
    "ground": {"ground"},
    "datasets": {"ground", "datasets"},
    "models": {"ground", "models"},
    "selection": {"ground", "selection"},
    "training": {"ground", "models", "training"},
    "companions": BELOW | {"companions"},
    "experiment": {"ground", "experiment"},  # no method, no network, no accuracy, no data set
    "report": {"ground", "datasets", "selection", "experiment", "report"},
    "studies": BELOW | {"companions", "experiment", "studies"},
    "top": BELOW | {"companions", "experiment", "report", "studies", "top"},
}
NEVER = {
    "ground": {"torch", "pandas", "seaborn", "matplotlib"},
    "datasets": {"torch", "pandas", "pickle"},
    "selection": {"pandas", "pathlib", "os", "io", "h5py", "pickle"},
    "training": {"pandas", "pickle"},
    "companions": {"pandas", "tqdm", "pickle"},
    "experiment": {"torch", "pickle"},
    "report": {"torch"},
    "studies": {"pickle", "seaborn", "matplotlib"},
}
# One thread a process, and the version that computed; pickles pass between our own processes only.
EXCEPT = {("experiment/provenance.py", "torch")} | {
    (f"experiment/workers/{name}.py", module)
    for name in ("bench_file", "job", "local", "scheduler")
    for module in ("torch", "pickle")
}
# Selection computes with torch's arrays on whatever device, and knows no network and no file.
NOT_AN_ARRAY = {"nn", "optim", "autograd", "jit", "hub", "utils", "load", "save"}
FILES = sorted(LIBRARY.rglob("*.py"))


def room(parts):
    """("foqus_lib", "selection", "budget") -> "selection"; the files at the top are two rooms."""
    if len(parts) < 2 or parts[1] in GROUND:
        return "ground"
    return parts[1] if parts[1] in MAY_IMPORT else "top"


def imports(path):
    """Every imported module as its parts, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = path.relative_to(LIBRARY.parent).with_suffix("").parts
            start = list(here[: -node.level]) if node.level else []
            module = start + (node.module.split(".") if node.module else [])
            yield from ([*module, alias.name] for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_point_down(path):
    here = room(path.relative_to(LIBRARY.parent).with_suffix("").parts)
    for module in imports(path):
        if module[0] == "foqus_lib":
            if module[1:] and module[1].startswith("__"):
                continue  # foqus_lib.__version__
            assert room(module) in MAY_IMPORT[here], f"{here} must not import {'.'.join(module)}"
        if (path.relative_to(LIBRARY).as_posix(), module[0]) not in EXCEPT:
            assert module[0] not in NEVER.get(here, ()), f"{here} must not import {module[0]}"


def circles(paths):
    """Modules that import one another, inside functions as well, and those between them."""
    parts = {path: path.relative_to(LIBRARY.parent).with_suffix("").parts for path in paths}
    names = {".".join(p).removesuffix(".__init__"): path for path, p in parts.items()}
    needs = {}
    for name, path in names.items():
        asked = [".".join(module) for module in imports(path)]
        asked = {one if one in names else one.rpartition(".")[0] for one in asked}
        needs[name] = asked & names.keys() - {name}
    while last := [name for name in needs if not needs[name] & needs.keys()]:
        for name in last:  # it needs nothing that is left
            del needs[name]
    while first := set(needs) - set().union(*needs.values()):
        for name in first:  # nothing that is left needs it
            del needs[name]
    return sorted(needs)


def test_no_two_modules_import_one_another():
    assert circles(FILES) == []


def test_the_rule_sees_a_circle_inside_a_function(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "foqus_lib")
    lines = {"a": "def f():\n    from foqus_lib.b import g", "b": "import foqus_lib.a", "c": ""}
    paths = [tmp_path / "foqus_lib" / f"{name}.py" for name in lines]
    paths[0].parent.mkdir()
    for path, line in zip(paths, lines.values(), strict=True):
        path.write_text(line, encoding="utf-8")
    assert circles(paths) == ["foqus_lib.a", "foqus_lib.b"]


def of_torch(path):
    """Every name the file takes from torch itself: torch.nn and torch.load, not x.load."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "torch":
                yield node.attr
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first, *rest = alias.name.split(".")
                if first == "torch":
                    yield rest[0] if rest else ("nn" if alias.asname else "")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch":
            yield from node.module.split(".")[1:2] or [alias.name for alias in node.names]


@pytest.mark.parametrize("path", sorted((LIBRARY / "selection").glob("*.py")), ids=lambda p: p.name)
def test_selection_uses_torch_for_arrays_only(path):
    for name in of_torch(path):
        assert name not in NOT_AN_ARRAY, f"selection must not use torch.{name}"


def test_training_knows_no_method():
    from foqus_lib.selection.catalog import SELECTORS

    for path in (LIBRARY / "training").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in SELECTORS, f"{path.name} line {node.lineno}: {node.value}"


def test_the_rule_sees_a_wrong_import(tmp_path, monkeypatch):
    wrong = tmp_path / "foqus_lib" / "selection" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "foqus_lib")
    for line in ("import pathlib", "from ..training import fit", "from foqus_lib import report"):
        wrong.write_text(f"def f():\n    {line}\n", encoding="utf-8")
        with pytest.raises(AssertionError, match="must not import"):
            test_imports_point_down(wrong)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("experiment/sweep.py", "from foqus_lib.selection import catalog"),
        ("experiment/plan.py", "from foqus_lib.training.memory import stack_size"),
        ("experiment/store.py", "from foqus_lib.studies import catalog"),
        ("experiment/store.py", "import torch"),
        ("training/fit.py", "from foqus_lib.companions import mixing"),
        ("companions/mixing.py", "from foqus_lib.experiment import store"),
        ("report/means.py", "from foqus_lib.studies.coreset.grid import CORESET"),
        ("studies/catalog.py", "from foqus_lib import runner"),
    ],
)
def test_the_rule_knows_the_new_rooms(file, line, tmp_path, monkeypatch):
    wrong = tmp_path / "foqus_lib" / file
    wrong.parent.mkdir(parents=True)
    wrong.write_text(line + "\n", encoding="utf-8")
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "foqus_lib")
    with pytest.raises(AssertionError, match="must not import"):
        test_imports_point_down(wrong)


def test_the_engine_names_no_method_no_network_and_no_accuracy():
    from foqus_lib.models import MODELS
    from foqus_lib.selection.catalog import CATALOG

    for path in (LIBRARY / "experiment").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                where = f"{path.name} line {node.lineno}: {node.value}"
                assert node.value not in {*CATALOG, *MODELS, "All data", "accuracy"}, where


def test_the_engine_is_looked_at_in_all_its_rooms(tmp_path, monkeypatch):
    wrong = tmp_path / "foqus_lib" / "experiment" / "workers" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text('METHOD = "Uniform"\n', encoding="utf-8")
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "foqus_lib")
    with pytest.raises(AssertionError, match="wrong.py line 1: Uniform"):
        test_the_engine_names_no_method_no_network_and_no_accuracy()


@pytest.mark.parametrize(
    "line",
    ["import torch.nn", "import torch as t", "from torch import nn, Tensor", "torch.load('x')",
     "from torch.nn.functional import relu", "torch.nn.Linear(1, 1)"],
)  # fmt: skip
def test_the_rule_sees_torch_used_for_more_than_arrays(line, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(f"import torch\n{line}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="must not use torch"):
        test_selection_uses_torch_for_arrays_only(wrong)


def test_arrays_of_torch_are_fine(tmp_path):
    right = tmp_path / "right.py"
    right.write_text("import torch\nfrom torch import Tensor\ntorch.bmm\nx.load\n", "utf-8")
    test_selection_uses_torch_for_arrays_only(right)

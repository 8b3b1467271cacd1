"""What a notebook can be given: the literals of its cell tagged 'parameters'.

papermill only logs an unknown name, writes names as raw code and leaves types alone. So names and
types are checked here, before anything runs.
"""

import ast
from collections.abc import Mapping

import yaml

from foqus_lib.errors import unknown

Literal = str | int | float | bool | list | dict | tuple | None  # dict ... None: to be refused


def declared(notebook: Mapping) -> dict[str, tuple[Literal, str]]:
    """Of a notebook (nbformat 4): {parameter: (default, comment)}."""
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            source = cell["source"]
            return assignments(source if isinstance(source, str) else "".join(source))
    raise ValueError("no cell is tagged 'parameters'")


def assignments(source: str) -> dict[str, tuple[Literal, str]]:
    """{name: (value, comment)} of lines such as `seeds: int = 0  # comment`, else ValueError."""
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        try:
            name = (node.target if isinstance(node, ast.AnnAssign) else node.targets[0]).id
            value = ast.literal_eval(node.value)
        except (AttributeError, ValueError):
            raise ValueError(
                f"parameters cell: expected lines such as `seeds: int = 0  # comment`, "
                f"got {ast.unparse(node)!r}"
            ) from None
        found[name] = value, lines[node.end_lineno - 1][node.end_col_offset :].strip(" #")
    return found


def checked(declarations: Mapping, given: Mapping) -> dict[str, Literal]:
    """`given`, as typed on a command line, in the types of the defaults; else ValueError."""
    result = {}
    for name, value in given.items():
        if name not in declarations:
            raise unknown("parameter", name, declarations)
        result[name] = typed(name, value, type(declarations[name][0]))
    return result


def typed(name: str, value: Literal, kind: type) -> Literal:
    """`value` as a `kind`: text is read as YAML, an int may stand for a float, nothing else."""
    read = value
    if isinstance(value, str) and kind is not str:
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            read = value
    if kind is float and type(read) is int:
        read = float(read)
    if type(read) is not kind:
        wanted = {"list": "a list such as [a, b]", "bool": "true or false"}
        wanted = wanted.get(kind.__name__, f"one {kind.__name__}")
        raise ValueError(f"parameter {name}: expected {wanted}, got {value!r}")
    return read

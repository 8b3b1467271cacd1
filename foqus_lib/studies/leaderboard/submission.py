"""What a team hands in: a name, the set, a rate, row numbers. Data only: nothing of it is run.

team.csv                      team.txt                 team.json
# name: Team Herring          # name: Team Herring     {"name": "Team Herring",
# set: board-1                # set: board-1            "set": "board-1",
rate,index                    # rate: 0.05              "rate": 0.05,
0.05,17                       17                        "indices": [17, 23]}
0.05,23                       23
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from foqus_lib.datasets import door
from foqus_lib.experiment.key import basis_points
from foqus_lib.selection.budget import budget_of
from foqus_lib.studies.leaderboard.boards import Board, board_named, pool

LARGEST = 2**20  # bytes
MOST_LINES = 100_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}")
INDEX = re.compile(r"[0-9]{1,9}")
DECIMAL = re.compile(r"[0-9]?\.?[0-9]{1,6}")
FIELDS = ("name", "set", "rate")
KINDS = (".csv", ".txt", ".json")

Said = tuple[str, str, int]  # rate and index as written, and their line


@dataclass(frozen=True, eq=False)
class Submission:
    """One team's coreset at one rate, checked against the pool."""

    name: str
    board: str
    points: int  # of the rate, basis points
    rows: Int64[ndarray, " k"]  # of the pool, ascending

    @property
    def digest(self) -> str:
        """Of the set of rows: the same rows in another order are the same coreset."""
        return sha256(self.rows.astype("<i8").tobytes()).hexdigest()[:16]


def read(path: Path, taken: tuple[str, ...] = ()) -> list[Submission]:
    """The submissions of a file, one a rate. ValueError with file and line for what is no coreset.

    taken: names that no team may have.
    """
    path = Path(path)
    door.plain_file(path)
    with door.reading(path):
        head, said = _parsed(path)
        name, board = _name(path, head, taken), _board(path, head)
        return [_checked(path, name, board, rate, rows) for rate, rows in _by_rate(path, said)]


def _parsed(path: Path) -> tuple[dict[str, str], list[Said]]:
    if path.suffix not in KINDS:
        raise ValueError(f"{path}: expected {', '.join(KINDS)}, got {path.suffix!r}. Rename it")
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(f"{path}: expected at most {LARGEST:,} bytes, got {size:,}. Cut it")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}: line {line}: expected UTF-8 text. Save it as such") from None
    if (lines := text.count("\n")) > MOST_LINES:
        raise ValueError(f"{path}: expected at most {MOST_LINES:,} lines, got {lines:,}. Cut it")
    return _json(path, text) if path.suffix == ".json" else _lines(path, text)


def _lines(path: Path, text: str) -> tuple[dict[str, str], list[Said]]:
    head: dict[str, str] = {}
    said: list[Said] = []
    columns = ["rate", "index"] if path.suffix == ".csv" else ["index"]
    waits = path.suffix == ".csv"  # for the line that names the columns
    for number, line in enumerate(text.splitlines(), start=1):
        where, line = f"{path}: line {number}", line.strip()
        if line.startswith("#"):
            name, colon, value = line[1:].partition(":")
            if (name := name.strip()) in head and colon:
                raise ValueError(f"{where}: {name} stands twice. Remove one")
            head[name] = value.strip()
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if not line:
            continue
        if waits:
            if cells != columns:
                raise ValueError(f"{where}: expected the columns rate,index, got {line[:60]!r}")
            waits = False
        elif len(cells) != len(columns):
            raise ValueError(
                f"{where}: expected {','.join(columns)}, got {line[:60]!r}. One signal a line"
            )
        else:
            rate = cells[0] if len(cells) == 2 else head.get("rate", "")
            said.append((rate, cells[-1], number))
    return head, said


def _json(path: Path, text: str) -> tuple[dict[str, str], list[Said]]:
    """Numbers keep the text they were written in, so that 3.0 and 1e2 are no integers."""
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ValueError(f"{path}: line {line}: not JSON. Write it with json.dump") from None
    wanted = {*FIELDS, "indices"}
    if not isinstance(found, dict) or not wanted <= set(found):
        raise ValueError(f"{path}: line 1: expected an object with {', '.join(sorted(wanted))}")
    if not isinstance(found["name"], str):
        raise ValueError(f"{path}: line 1: name: expected text, got {str(found['name'])[:40]!r}")
    if not isinstance(found["indices"], list):
        raise ValueError(f"{path}: line 1: indices: expected a list of row numbers. Mend it")
    lines = list(_lines_of_indices(text, len(found["indices"])))
    head = {name: str(found[name]) for name in FIELDS}
    return head, [
        (head["rate"], str(one), line) for one, line in zip(found["indices"], lines, strict=True)
    ]


def _lines_of_indices(text: str, count: int) -> Iterator[int]:
    """The line of each item; of lists that are not flat numbers, the line they begin in."""
    at = [found.end() - 1 for found in re.finditer(r'"indices"\s*:\s*\[', text)]
    start = at[-1] if at else 0
    tokens = list(re.finditer(r"[^\s,\]\[]+", text[start : text.find("]", start)]))
    for place in range(count):
        at = tokens[place].start() if len(tokens) == count else 0
        yield text.count("\n", 0, start + at) + 1


def _name(path: Path, head: dict[str, str], taken: tuple[str, ...]) -> str:
    name = head.get("name", "")
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{path}: name: expected 1 to 40 letters, digits, blanks and ._+-, got {name[:60]!r}. "
            'Write `# name: Team Herring` (in JSON: "name") at the top'
        )
    if name.casefold() in {one.casefold() for one in taken}:
        raise ValueError(f"{path}: name: {name} is a row of the board. Take another name")
    return name


def _board(path: Path, head: dict[str, str]) -> Board:
    try:
        return board_named(head.get("set", ""))
    except ValueError as error:
        raise ValueError(f"{path}: set: {error}. Write `# set: board-1` at the top") from None


def _by_rate(path: Path, said: list[Said]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for rate, index, line in said:
        try:
            if not rate:
                raise ValueError("rate: missing. Write `# rate: 0.05` above the rows")
            if not DECIMAL.fullmatch(rate):
                raise ValueError(f"rate: expected a number such as 0.05, got {rate[:40]!r}")
            points = basis_points(float(rate))
        except ValueError as error:
            raise ValueError(f"{path}: line {line}: {error}") from None
        found[points].append((index, line))
    if not found:
        raise ValueError(f"{path}: no row number in it. Write one a line")
    return iter(sorted(found.items()))


def _checked(
    path: Path, name: str, board: Board, points: int, said: list[tuple[str, int]]
) -> Submission:
    signals = pool(board)
    n, seen = len(signals), dict[int, int]()
    budget = budget_of(points / 10_000, n)
    for index, line in said:
        where = f"{path}: line {line}"
        if not INDEX.fullmatch(index):
            raise ValueError(f"{where}: expected a whole row number, got {index[:40]!r}. Mend it")
        if (row := int(index)) >= n:
            raise ValueError(f"{where}: row {row}: {board.name} has rows 0 to {n - 1}. Mend it")
        if row in seen:
            raise ValueError(f"{where}: row {row} stands in line {seen[row]} too. Remove one")
        if len(seen) == budget:
            raise ValueError(
                f"{where}: expected {budget} rows, {points / 100:g} % of {n}, got {len(said)}. "
                "Remove the others"
            )
        seen[row] = line
    rows = np.array(sorted(seen), np.int64)
    last = f"{path}: line {said[-1][1]}"
    if len(rows) < budget:
        raise ValueError(
            f"{last}: expected {budget} rows, {points / 100:g} % of {n}, got {len(rows)}. Add some"
        )
    counts = np.bincount(signals.label[rows], minlength=len(signals.classes))
    if not counts.all():
        missing = signals.classes[int(counts.argmin())]
        raise ValueError(f"{last}: no signal of class {missing} is kept. Every class needs one")
    return Submission(name, board.name, points, rows)

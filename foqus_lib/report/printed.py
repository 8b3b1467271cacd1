"""A table as numbers and as text: HTML for notebooks, CSV for pages."""

import csv
import html
import io
import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd
from IPython.display import HTML


@dataclass(frozen=True, eq=False)
class Table:
    """What a function of `tables` returns; nothing in the text that is not in the numbers."""

    numbers: pd.DataFrame  # tidy: one row a number, fractions
    text: pd.DataFrame  # strings as printed; the index holds the row heads
    bold: pd.DataFrame  # which of them are the best, of the text's shape
    note: str  # data, n, what is missing: belongs below every print


def nothing_yet(numbers: pd.DataFrame, unfinished: str) -> Table:
    """Of a grid without a row: its note alone."""
    none = pd.DataFrame()
    note = f"No result rows. The grid is not finished: {unfinished.rstrip('.')}."
    return Table(numbers, none, none, note)


def show(table: Table, name: str) -> HTML:
    """The table as HTML, its note below. Names come from data files, so everything is escaped.

    `name` is unique on its page.
    """
    slug = re.sub(r"\W+", "-", name.lower())[:24] + sha256(name.encode()).hexdigest()[:8]
    styled = (
        table.text.style.format(escape="html")
        .format_index(escape="html", axis=0)
        .format_index(escape="html", axis=1)
        .apply(
            lambda _: table.bold.map(lambda best: "font-weight: bold" if best else ""), axis=None
        )
        .set_uuid(slug)
        .set_table_attributes('class="dataframe"')
    )
    return HTML(f'{styled.to_html()}<p class="table-note">{html.escape(table.note)}</p>')


def frame(
    table: pd.DataFrame | None, name: str, digits: str | dict[str, str] | None = None
) -> HTML | None:
    """A plain frame as HTML, escaped as well, without an index that only counts; None of None.

    name: its id, unique on its page. digits: "{:.1f}", of all columns or of each; where it is left
    out a fraction has three.
    """
    if table is None:
        return None
    styled = table.style.format(digits, precision=3, na_rep="–", escape="html")
    styled = styled.format_index(escape="html", axis=0).format_index(escape="html", axis=1)
    if isinstance(table.index, pd.RangeIndex):
        styled = styled.hide(axis="index")
    return HTML(styled.set_uuid(name).set_table_attributes('class="dataframe"').to_html())


def write_csv(table: Table, path: Path) -> None:
    """The text as a CSV for a csv-table directive: row heads first, the best in `**bold**`."""
    heads = [head or "" for head in table.text.index.names]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*heads, *map(markdown, table.text.columns)])
    lines = zip(table.text.index, table.text.to_numpy(), table.bold.to_numpy(), strict=True)
    for head, texts, bold in lines:
        head = head if isinstance(head, tuple) else (head,)
        cells = [
            f"**{text}**" if best and text else text for text, best in zip(texts, bold, strict=True)
        ]
        writer.writerow([*map(markdown, head), *cells])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(out.getvalue().encode())


def write_plain(table: pd.DataFrame, path: Path) -> None:
    """A frame as it is, four digits a number."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n", float_format="%.4f")


def write_json(path: Path, numbers: dict) -> None:
    """Numbers for the {res} role; NaN is refused."""
    text = json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text + "\n", encoding="utf-8")


def markdown(name: str) -> str:
    """A name that comes out of Markdown as it is."""
    return re.sub(r"([\\`*_<>\[\]$])", r"\\\1", str(name))


def wide(numbers: pd.DataFrame, heads: list[str], column: str, value: str) -> pd.DataFrame:
    """Tidy to printed form: `heads` down, the values of `column` across, both as they first come.

    A head with one value only is left out, except the last: it belongs into the caption.
    """
    columns = list(dict.fromkeys(numbers[column]))
    index = list(dict.fromkeys(numbers[heads].itertuples(index=False, name=None)))
    table = numbers.set_index([*heads, column])[value].unstack(column)
    table = table.loc[index if len(heads) > 1 else [key[0] for key in index], columns]
    idle = [head for head in heads[:-1] if numbers[head].nunique() == 1]
    table = table.droplevel(idle) if idle else table
    return table.rename_axis(columns=None)

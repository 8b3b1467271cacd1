"""Markup that reached a reader: a directive or role of the sources that no page was made of.

A fence whose first line holds a backtick is no fence to Markdown: it is a sentence, without a
warning. So the built pages themselves are read.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

# opening of a fence | a role with its text | a role that lost it | option lines of a directive
RAW = re.compile(
    r"```|:::|\{[a-z][\w:.+-]*\}`|\{(?:cite|doc|eq|numref|ref|res|term)\b"
    r"|^(?::(?:alt|class|file|header-rows|label|name|stub-columns|widths):.*\n?)+",
    re.MULTILINE,
)
SWALLOWED = re.compile(r"\{[a-z][\w:.+-]*\}\s")  # "{list-table} The ..." between two fences
SHOWN = {"pre", "script", "style", "svg"}  # code blocks show what they please


def left_raw(html: Path) -> list[str]:
    """One line "page: text" for each piece of raw markup in the pages below `html`."""
    found = []
    for page in sorted(html.rglob("*.html")):
        name = page.relative_to(html)
        if name.parts[0] != "_static":
            found += [f"{name.as_posix()}: {text}" for text in raw(page.read_text("utf-8"))]
    return found


def raw(page: str) -> list[str]:
    """The raw markup in one page's text, each piece with the words after it."""
    reader = _Reader()
    reader.feed(re.sub(r"<svg\b.*?</svg>", "", page, flags=re.DOTALL))  # most of a page's bytes
    text = "".join(reader.text)
    pieces = [text[match.start() : match.start() + 80] for match in RAW.finditer(text)]
    pieces += [code for code in reader.code if SWALLOWED.match(code)] + reader.problematic
    return [" ".join(piece.split())[:60] for piece in pieces]


class _Reader(HTMLParser):
    """Splits a page into its text, its inline code and what Sphinx marked as problematic."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.code: list[str] = []
        self.problematic: list[str] = []
        self.into: list[str] | None = self.text  # None: nobody reads it as text
        self.inside, self.depth = "", 0  # the element that is set aside, and it in itself

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.inside:
            self.depth += tag == self.inside
            return
        classes = (dict(attrs).get("class") or "").split()
        if tag in SHOWN or "math" in classes:
            self.inside, self.into = tag, None
        elif tag == "code" or "problematic" in classes:
            self.inside, self.into = tag, self.code if tag == "code" else self.problematic
            self.into.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside and self.depth:
            self.depth -= 1
        elif tag == self.inside:
            self.inside, self.into = "", self.text

    def handle_data(self, data: str) -> None:
        if self.into is self.text:
            self.into.append(data)
        elif self.into is not None:
            self.into[-1] += data

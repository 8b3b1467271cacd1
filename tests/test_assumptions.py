"""The tags in the code and the book's list of open questions belong together."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "assumptions.md").read_text(encoding="utf-8")
LISTED = dict(re.findall(r"\* - \[(A\d+)\]\n(?:  - .*\n){3}  - `([^`]*)`", PAGE))
TAG = re.compile(r"\[((?:A\d+(?:, )?)+)\]")


def tags(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {tag for group in TAG.findall(text) for tag in group.split(", ")}


def test_the_list_is_complete_and_in_order():
    assert list(LISTED) == [f"A{number}" for number in range(1, len(LISTED) + 1)]
    assert len(LISTED) >= 27


@pytest.mark.parametrize("tag", LISTED)
def test_a_tag_stands_where_the_page_says(tag):
    place = LISTED[tag]
    where = ROOT / place if place.startswith("notebooks") else ROOT / "foqus_lib" / place
    files = where.glob("*.yaml") if where.is_dir() else [where]
    assert any(tag in tags(path) for path in files)


def test_no_tag_is_used_without_an_entry():
    used = set()
    for folder in ("foqus_lib", "notebooks", "book"):
        for suffix in ("py", "yaml", "ipynb", "md"):
            for path in (ROOT / folder).rglob(f"*.{suffix}"):
                if "executed" not in path.parts:
                    used |= tags(path)
    assert used <= set(LISTED)

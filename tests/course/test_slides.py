"""Decks: numbers and figures from committed files, no network, readable without script."""

import re

import pytest

from foqus_lib.course import slides

DECKS = sorted(slides.SOURCES.glob("*.md"))
every_deck = pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)


@every_deck
def test_a_deck_is_whole_and_asks_no_other_host(path):
    text = slides.deck(path.read_text(encoding="utf-8"))
    assert text.count("<section") == text.count("</section>") >= 5
    assert not re.search(r"\b(src|href)=\"(https?:)?//|@import|url\(http", text)
    assert "{res}" not in text and "{figure}" not in text and "ERUGIF" not in text
    assert len(text) < 1_500_000 and "hidden" not in re.search(r"<section[^>]*>", text)[0]


@every_deck
def test_headings_come_in_order_and_ids_once(path):
    text = slides.deck(path.read_text(encoding="utf-8"))
    levels = [int(level) for level in re.findall(r"<h(\d)>", text)]
    assert levels[0] == 1 and set(levels[1:]) == {2}
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@every_deck
def test_every_deck_is_linked_from_the_course_page(path):
    page = (slides.BOOK / "course.md").read_text(encoding="utf-8")
    assert f'href="../slides/{path.stem}.html"' in page


def test_a_number_is_read_and_a_missing_one_stops():
    assert slides.number("claims/derived/claims:counts:all").isdigit()
    with pytest.raises(KeyError):
        slides.number("claims/derived/claims:counts:none")
    with pytest.raises(OSError):
        slides.deck("# A\n\n{figure}`results/none.html`\n")


def test_a_deck_without_a_title_is_refused():
    with pytest.raises(ValueError, match="expected a first line '# Title'"):
        slides.deck("no heading")

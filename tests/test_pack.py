"""The zip of the book: all pages, the same bytes again, never itself."""

import os
import zipfile

import pytest

from foqus_lib import pack


@pytest.fixture
def pages(tmp_path):
    for name in ("index.html", "book/é.html", "_static/a.js"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name * 50, encoding="utf-8")
    return tmp_path


def test_it_holds_every_page_and_not_itself(pages, tmp_path_factory):
    pack.pack(pages)
    target = pack.pack(pages)  # the second time there is a zip beside the pages
    assert target.name == "foqus-book.zip" and not list(pages.glob("*.partial"))
    out = tmp_path_factory.mktemp("room without a network")
    with zipfile.ZipFile(target) as book:
        assert book.namelist() == sorted(book.namelist()) and len(book.namelist()) == 3
        book.extractall(out)
    assert (out / "foqus-book/book/é.html").read_bytes() == (pages / "book/é.html").read_bytes()


def test_the_same_pages_give_the_same_bytes(pages):
    first = pack.pack(pages).read_bytes()
    os.utime(pages / "index.html", (1e9, 1e9))
    (pages / "index.html").chmod(0o600)
    assert pack.pack(pages).read_bytes() == first
    (pages / "index.html").write_text("another")
    assert pack.pack(pages).read_bytes() != first


def test_no_book_no_zip(tmp_path):
    with pytest.raises(ValueError, match="expected a built book, found none; run build first"):
        pack.pack(tmp_path)
    assert not list(tmp_path.iterdir())

"""A directive or role that a reader sees as text is found; one shown in a code block is not."""

import pytest

from foqus_lib import cli
from foqus_lib.report import markup

RIGHT = """<html><body><h1>Run</h1><p>Rates: of 1 % {or more}, at 10:30; see <code class="x">
<span>{res}`layer/file:key`</span></code>.</p><br><div class="math">\\[{a}`{res}\\]</div>
<div class="highlight"><pre><span>```{note}</span>\n:name: x\n```</pre></div>
<svg><text>```</text></svg><script>let a = `{doc}`;</script>
<p>Two <pre>a<pre>```</pre>```</pre>.</p>
</body></html>"""


def test_a_right_page_has_none():
    assert markup.raw(RIGHT) == []


@pytest.mark.parametrize(
    "wrong, found",
    [
        ("<p>```{list-table} Three in <code>notebooks/</code>.</p>", "```{list-table} Three in ."),
        ("<p>:::{note}\nText</p>", ":::{note} Text"),
        ("<p>as {doc}`models` says</p>", "{doc}`models` says"),
        ("<p>as {cite:p} <code>a2016</code></p>", "{cite:p}"),
        ("<td>{res}</td>", "{res}"),
        ("<p>Text\n:name: tbl-a\n:header-rows: 1\n\nmore</p>", ":name: tbl-a :header-rows: 1"),
        ("<code><span>{csv-table}</span> <span>Rows</span></code>", "{csv-table} Rows"),
        ('<p>to <span class="problematic" id="a">paper:x|.3f</span></p>', "paper:x|.3f"),
    ],
    ids=["fence", "colons", "role", "citation", "bare role", "options", "in code", "unresolved"],
)
def test_a_wrong_page_is_found_by_its_text(wrong, found):
    for place in ("<h1>", "</body>"):
        [one] = markup.raw(RIGHT.replace(place, wrong + place))
        assert one.startswith(found)


def test_the_build_fails_and_names_page_and_text(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli.subprocess, "call", lambda command: 0)
    folder = tmp_path / "_build" / "html"
    monkeypatch.setattr(cli, "PAGES", folder)
    (folder / "book").mkdir(parents=True)
    (folder / "index.html").write_text("<p>first</p>")
    (folder / "_static").mkdir()
    (folder / "_static" / "webpack.html").write_text("<p>```</p>")  # the theme's
    page = folder / "book" / "rerun.html"
    page.write_text(RIGHT, encoding="utf-8")
    assert cli.html() == 0 and "the book:" in capsys.readouterr().out
    page.write_text(RIGHT.replace("Run", "{numref}`tbl-a`"), encoding="utf-8")
    assert cli.html() == 1
    said = capsys.readouterr()
    assert "book/rerun.html: {numref}`tbl-a`" in said.err and "the book:" not in said.out


def test_a_build_that_failed_stays_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli.subprocess, "call", lambda command: 2)
    assert cli.html() == 2

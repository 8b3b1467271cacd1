"""Parts of a page that stands alone: one file, no request, light and dark, wide and narrow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --paper: #ffffff; --line: #767b82;
  --mark: #0b5cad; --box: #eef3f9; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --paper: #14181d; --line: #8d949d; --mark: #7cb8f5; --box: #1f2833; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text);
  font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.verdict { background: var(--box); border-left: 4px solid var(--mark); padding: .6rem .9rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
caption, figcaption { text-align: left; font-size: .9rem; margin: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { font-weight: 600; } tbody th { font-weight: 400; min-width: 4rem; }
/* long names and fingerprints break, numbers do not */
tbody th, td:nth-child(2):last-child { overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
code { font: .9rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--box); padding: .6rem .9rem; white-space: pre-wrap; }
.note { font-size: .9rem; }
.bars { display: block; white-space: nowrap; min-width: 6rem; }
.bar { display: inline-block; height: .65em; margin-right: .4em; border: 1px solid var(--mark);
  width: calc(var(--share) * (100% - 4.2em)); min-width: 2px; }
.bar.full { background: var(--mark); }
"""
# Nothing may be fetched, and no script runs, whoever passes the file on.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Html:
    """Content of a cell that is escaped already."""

    text: str


def page(title: str, body: Iterable[str]) -> str:
    """A whole document; `body` are parts that are escaped already."""
    parts = "\n".join(body)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{parts}
</main>
</body>
</html>
"""


def paragraph(text: str, kind: str = "") -> str:
    """A sentence or two; kind: a class of STYLE."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Of a section."""
    return f"<h2>{escape(text)}</h2>"


def code(text: str) -> str:
    """A command; a long one breaks."""
    return f"<pre><code>{escape(text)}</code></pre>"


def table(caption: str, heads: Sequence[str], lines: Iterable[Sequence[str | Html]]) -> str:
    """The first cell of a line is its head."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "\n".join(
        f'<tr><th scope="row">{_cell(first)}</th>'
        + "".join(f"<td>{_cell(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in lines
    )
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def bars(shares: Sequence[float], longest: float) -> Html:
    """Shares (0 to 1) one below the other, the last one filled; longest: fills the cell."""
    lines = []
    for place, share in enumerate(shares, start=1):
        kind = "bar full" if place == len(shares) else "bar"
        width = f"--share:{share / longest if longest else 0:.3f}"
        bar = f'<span class="{kind}" style="{width}"></span>'
        lines.append(f'<span class="bars">{bar}{percent(share)}</span>')
    return Html("".join(lines))


def percent(share: float) -> str:
    """0.0512 -> "5.1 %"."""
    return f"{100 * share:.1f} %"


def figure(svg: str, caption: str) -> str:
    """What `svg.inline_svg` made, with its caption."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _cell(content: str | Html) -> str:
    if isinstance(content, Html):
        return content.text
    return escape(content).replace(" %", "&nbsp;%").replace(" dB", "&nbsp;dB")

"""One HTML deck a lesson, from Markdown and the book's own figures; no network, readable as it is.

A line of three dashes begins a slide. Two things are read from book/results, never typed:

    {res}`claims/derived/claims:counts:holds`    a number, as on the pages
    {figure}`results/claims/derived/claims.html`    a figure, inline SVG, below book/

Without script all slides stand below each other; with it the arrow keys go from one to the next.
"""

import html
import json
import re
from pathlib import Path

from markdown_it import MarkdownIt

BOOK = Path(__file__).resolve().parents[2] / "book"
SOURCES = BOOK / "course"
ROLE = re.compile(r"\{(res|figure)\}`([^`]+)`")
STYLE = """
:root { color-scheme: light dark; }
body { font: 1.25rem/1.5 sans-serif; margin: 0; background: #fff; color: #1a1a1a; }
section { max-width: 52rem; margin: 0 auto; padding: 1.5rem; box-sizing: border-box; }
section + section { border-top: 1px solid #888; }
body.deck section { border: 0; min-height: 85vh; }
body.deck section:not(.now) { display: none; }
h1, h2 { line-height: 1.2; }
svg { max-width: 100%; height: auto; color: inherit; }
svg text { fill: currentColor; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #888; font-size: .9rem; }
a { color: #0d5ac8; }
nav { max-width: 52rem; margin: 0 auto; padding: 0 1.5rem 1rem; }
nav button { font: inherit; color: inherit; background: none; border: 1px solid currentColor; border-radius: 4px; padding: .1em .8em; }
@media (prefers-color-scheme: dark) {
  body { background: #14181e; color: #e8e8e8; } a { color: #7cb0f5; }
}
@media print { body.deck section:not(.now) { display: block; } nav { display: none; } }
"""  # noqa: E501
SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };
dark.addEventListener("change", theme); theme();
const slides = [...document.querySelectorAll("section")], nav = document.querySelector("nav");
const place = nav.querySelector("output");
let at = Math.max(0, slides.findIndex(slide => "#" + slide.id === location.hash));
function go(to) {
  at = Math.min(Math.max(to, 0), slides.length - 1);
  slides.forEach((slide, n) => slide.classList.toggle("now", n === at));
  place.textContent = `${at + 1} of ${slides.length}`;
  history.replaceState(null, "", "#" + slides[at].id); scrollTo(0, 0);
}
const keys = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1, Home: -1e6, End: 1e6 };
document.addEventListener("keydown", event => {
  const onButton = event.key === " " && event.target.closest("button, a");
  if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey || onButton) return;
  event.preventDefault(); go(at + keys[event.key]);
});
nav.querySelectorAll("button").forEach(one => one.addEventListener("click", () => go(at + Number(one.dataset.by))));
document.body.classList.add("deck"); nav.hidden = false; go(at);
"""  # noqa: E501
NAV = (
    '<nav hidden aria-label="Slides"><button data-by="-1">Back</button> '
    '<output aria-live="polite"></output> <button data-by="1">Next</button></nav>'
)


def deck(text: str) -> str:
    """The whole HTML file of one lesson's Markdown; its first heading is the title."""
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    if title is None:
        raise ValueError("slides: expected a first line '# Title', found none")
    parts = re.split(r"^---$", text, flags=re.MULTILINE)
    slides = "\n".join(
        f'<section id="slide-{n}">\n{_slide(part)}</section>' for n, part in enumerate(parts, 1)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title[1])}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n{slides}\n</main>\n{NAV}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _slide(text: str) -> str:
    """Markdown to HTML; figures are put in after it, so that nothing reads their inside."""
    found = []

    def read(role: re.Match) -> str:
        if role[1] == "res":
            return number(role[2])
        found.append(figure(role[2]))
        return f"FIGURE{len(found) - 1}ERUGIF"

    page = MarkdownIt().enable("table").render(ROLE.sub(read, text))
    for n, drawing in enumerate(found):
        page = page.replace(f"<p>FIGURE{n}ERUGIF</p>", drawing)
    return page


def number(where: str) -> str:
    """layer/file:key:key|format from book/results; KeyError or OSError if it is not there."""
    where, _, form = where.partition("|")
    name, *keys = where.split(":")
    value = json.loads((BOOK / "results" / f"{name}.json").read_text(encoding="utf-8"))
    for key in keys:
        value = value[key]
    return format(value, form)


def figure(where: str) -> str:
    """A committed drawing as it is."""
    return (BOOK / where).read_text(encoding="utf-8")


def write_all(folder: Path) -> list[Path]:
    """folder/<lesson>.html for each Markdown file of book/course."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for source in sorted(SOURCES.glob("*.md")):
        made.append(folder / f"{source.stem}.html")
        made[-1].write_text(deck(source.read_text(encoding="utf-8")), encoding="utf-8")
    return made

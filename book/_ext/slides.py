"""The decks of book/course beside the built pages: _build/html/slides/<lesson>.html."""

from pathlib import Path


def write(app, exception):
    if exception or app.builder.format != "html" or not Path(app.srcdir, "book/course").is_dir():
        return
    from foqus_lib.course import slides

    slides.write_all(Path(app.outdir, "slides"))


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

"""The whole book as one file, for rooms without a network: the same pages give the same bytes."""

import zipfile
from pathlib import Path

NAME = "foqus-book.zip"  # beside the pages, so that a page can link to it
TOP = "foqus-book"  # the folder that it unpacks to; open its index.html
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # else the hour of the build would be in the bytes
READABLE = 0o100644 << 16  # a plain file, for whatever the umask was


def pack(pages: Path) -> Path:
    """Zip a built book into `pages`/foqus-book.zip, in name order and without times; says where.

    ValueError if no book was built there.
    """
    if not (pages / "index.html").exists():
        raise ValueError(f"{pages}: expected a built book, found none; run build first")
    target = pages / NAME
    unfinished = target.with_suffix(".partial")
    files = sorted(path for path in pages.rglob("*") if path.is_file())
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
        for path in files:
            if path not in (target, unfinished):
                about = zipfile.ZipInfo(f"{TOP}/{path.relative_to(pages).as_posix()}", LONG_AGO)
                about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, READABLE
                book.writestr(about, path.read_bytes())
    unfinished.replace(target)
    return target

"""Text that is on every machine: Python's own sources to learn from, its documentation as prose.

Read, never shipped (PSF licence). Files are split by the SHA-256 of their name: one in ten is
tested on, one in ten chooses learning rates. Which Python reads decides the text, so a corpus has
a fingerprint, and that stands in every trial's key.
"""

import os
import platform
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

STANDARD = "standard library"
SKIPPED = {
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idle_test",
    "pydoc_data",
    "lib-dynload",
}
PROSE_OF_A_FOLDER = (".txt", ".md", ".rst")
SHORTEST = 200  # characters of a file, else it is left out
LEAST = 20_000  # characters of a part, else it says nothing


@dataclass(frozen=True, eq=False)
class Corpus:
    """Files of each part, in an order that does not follow their names."""

    name: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    prose: tuple[str, ...]  # English, never tuned on
    fingerprint: str
    about: str
    simulated: bool = False


def corpus(source: str) -> Corpus:
    """The standard library of this Python, or the .py and the text files of a folder."""
    if source == STANDARD:
        sources = _read(Path(sysconfig.get_paths()["stdlib"]), (".py",))
        return _parted(source, sources, _topics(), f"Python {platform.python_version()}")
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise ValueError(
            f"dataset: expected {STANDARD!r} or a folder of .py files and prose "
            f"({', '.join(PROSE_OF_A_FOLDER)}), got {source!r}, which is no folder"
        )
    prose = tuple(text for _, text in _read(folder, PROSE_OF_A_FOLDER))
    return _parted(folder.name, _read(folder, (".py",)), prose, f"folder {folder.name}")


def _parted(
    name: str, files: Sequence[tuple[str, str]], prose: Sequence[str], where: str
) -> Corpus:
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for path, text in files:
        tenth = sha256(path.encode()).digest()[0] * 10 // 256
        parts[{0: "test", 1: "val"}.get(tenth, "train")].append(text)
    parts["prose"] = list(prose)
    for part, texts in parts.items():
        if (size := sum(map(len, texts))) < LEAST:
            raise ValueError(
                f"dataset: {name}: the part {part!r} has {size} characters in {len(texts)} files, "
                f"expected {LEAST} or more. Give more text"
            )
    made = sha256()
    for part, texts in parts.items():
        for text in texts:
            made.update(f"{part} {len(text)} ".encode() + text.encode())
    counts = ", ".join(f"{sum(map(len, t)) / 1e6:.1f} million to {p}" for p, t in parts.items())
    about = f"Text of {where} in characters: {counts} (prose is only measured on)."
    return Corpus(name, *map(tuple, parts.values()), made.hexdigest(), about)


def _read(folder: Path, endings: Sequence[str]) -> list[tuple[str, str]]:
    """(path below the folder, text) of the files, ordered by the SHA-256 of that path."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in names:
            path = Path(root, name)
            if path.suffix not in endings:
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue  # a few sources are in other encodings on purpose
            if len(text) > SHORTEST:
                found.append((path.relative_to(folder).as_posix(), text))
    return sorted(found, key=lambda file: sha256(file[0].encode()).digest())


def _topics() -> tuple[str, ...]:
    """The language reference that `help()` shows: a page a topic."""
    from pydoc_data.topics import topics

    return tuple(topics[name] for name in sorted(topics, key=lambda n: sha256(n.encode()).digest()))


# ---- tokens --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text as a model reads it."""

    ids: Int64[ndarray, " n"]
    size: Int64[ndarray, " n"]  # UTF-8 bytes that each token stands for
    file: Int64[ndarray, " n"]  # which file it is from


CHARACTERS = 4  # of a token, about: how long a piece is cut for so many tokens


def encode(texts: Sequence[str], most: int, tokenizer=None, least: int = 1) -> Tokens:
    """`most` tokens, about as many from the middle of every file; bytes if there is no tokenizer.

    least: tokens of a piece that are of use. Pieces double until all together suffice; ValueError
    if whole files do not.
    """
    share, longest = max(least, -(-most // len(texts))), max(map(len, texts))
    while True:
        size = share * (1 if tokenizer is None else CHARACTERS)
        pieces = [_middle(text, size) for text in texts]
        made = [_bytes(one) if tokenizer is None else _tokens(one, tokenizer) for one in pieces]
        made = [(ids[:share], sizes[:share]) for ids, sizes in made]
        have = sum(len(ids) for ids, _ in made)
        if have >= most:
            break
        if size >= longest:
            raise ValueError(
                f"dataset: expected {most} tokens or more, the text has {have}. Give more text, or "
                "ask for fewer tokens (steps, batch, window, held)"
            )
        share *= 2
    file = np.repeat(np.arange(len(made)), [len(ids) for ids, _ in made])
    ids, sizes = (np.concatenate(part)[:most] for part in zip(*made, strict=True))
    return Tokens(ids, sizes, file[:most])


def _middle(text: str, size: int) -> str:
    start = max(0, (len(text) - size) // 2)
    return text[start : start + size]


def _bytes(text: str) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    ids = np.frombuffer(text.encode(), np.uint8).astype(np.int64)
    return ids, np.ones(len(ids), np.int64)


def _tokens(text: str, tokenizer) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    """Sizes from offsets: a token ends where the next one begins, so no byte is lost or doubled."""
    made = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    starts = [start for start, _ in made["offset_mapping"]] + [len(text)]
    before = np.concatenate([[0], np.cumsum([len(char.encode()) for char in text])])
    return np.array(made["input_ids"], np.int64), np.diff(before[starts]).astype(np.int64)


def windows(
    tokens: Tokens, length: int, count: int, rng: np.random.Generator
) -> Int64[ndarray, " count"]:
    """Where `count` windows that do not overlap start, in random order."""
    there = len(tokens.ids) // length
    if there < count:
        raise ValueError(
            f"dataset: expected {count} windows of {length} tokens, the text has {there}. Give "
            "more text, or ask for fewer (steps, batch, held)"
        )
    return rng.permutation(there)[:count] * length


def cut_out(
    values: Int64[ndarray, " n"], starts: Int64[ndarray, " k"], length: int
) -> Int64[ndarray, "k length"]:
    """The windows themselves: ids or sizes."""
    return values[starts[:, None] + np.arange(length)]


CHOICES = 4


def cloze(
    tokens: Tokens, context: int, length: int, count: int, rng: np.random.Generator
) -> Int64[ndarray, "count 4 T"]:
    """Multiple choice: a context with its own continuation (first) and with three of other files.

    All continuations have `length` tokens; T = context + length.
    """
    starts = windows(tokens, context + length, len(tokens.ids) // (context + length), rng)
    inside = tokens.file[starts] == tokens.file[starts + context + length - 1]
    starts = starts[inside]  # a question does not cross from one file into the next
    file = tokens.file[starts]
    if len(starts) < count or len(np.unique(file)) < CHOICES:
        raise ValueError(
            f"dataset: expected {count} questions from {CHOICES} files or more, the text has "
            f"{len(starts)} from {len(np.unique(file))}. Give more text, or ask for fewer questions"
        )
    pieces = cut_out(tokens.ids, starts, context + length)
    found = np.empty((count, CHOICES, context + length), np.int64)
    for question in range(count):
        others = rng.permutation(np.flatnonzero(file != file[question]))
        _, firsts = np.unique(file[others], return_index=True)  # three files, not three pieces
        wrong = others[np.sort(firsts)[: CHOICES - 1]]
        found[question] = pieces[question]
        found[question, 1:, context:] = pieces[wrong, context:]
    return found

"""Reads the pickles of the RML2016 sets without executing anything they say.

A pickle is a program; unpickling runs it, and an allow-list of names still lets it exhaust memory
or change numpy's defaults. This reader is a stack machine for the few instructions that writers of
{(modulation, snr): array} use. It imports nothing, calls nothing the file names, and compares every
size with the bytes that are left before it reads. It cannot see changed *numbers*: only the
SHA-256 of the file can.
"""

import codecs
import os
import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from pickletools import code2op  # names of the instructions, for messages

from numpy import ndarray

from foqus_lib.datasets.pickles.machine import MARK, Machine
from foqus_lib.datasets.pickles.values import Array, Dtype, Refused, built, called, key_of, named

MOST_INSTRUCTIONS = 200_000
LONGEST_TUPLE = 8
MALFORMED = (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error)

Blocks = dict[tuple[str, int], ndarray]


def read(path: Path) -> Blocks:
    """{(modulation, snr): array} of a pickle, or `Refused` with file, byte, what was met."""
    with open(path, "rb", buffering=1 << 20) as file:
        machine = Machine(file, os.fstat(file.fileno()).st_size)
        try:
            return _run(machine)
        except Refused as error:
            raise Refused(f"{path}: byte {machine.at}: {error}") from None
        except MALFORMED as error:
            kind = type(error).__name__
            raise Refused(f"{path}: byte {machine.at}: malformed pickle ({kind})") from None


def _run(m: Machine) -> Blocks:
    for _ in range(MOST_INSTRUCTIONS):
        m.at = m.file.tell()
        code = m.file.read(1)
        if not code:
            raise Refused("truncated: the file ends without STOP. Download it again")
        if code == b".":
            return _result(m)
        if code not in STEPS:
            known = code2op.get(code.decode("latin1"))
            what = f"instruction {known.name}" if known else f"byte 0x{code.hex()}"
            raise Refused(f"{what}, which no such data set needs")
        STEPS[code](m)
    raise Refused(f"more than {MOST_INSTRUCTIONS} instructions")


def _result(m: Machine) -> Blocks:
    top = m.pop()
    if m.stack:
        raise Refused("objects left on the stack at STOP")
    if m.file.read(1):
        raise Refused("trailing bytes after STOP: expected one pickle and nothing else")
    if type(top) is not dict:
        raise Refused(f"expected a dict at the top, got {type(top).__name__}")
    return top


def _integer(m: Machine) -> None:
    text = m.line(24)
    if text in (b"00", b"01"):
        return m.push(text == b"01")
    if not re.fullmatch(rb"-?[0-9]{1,19}", text):
        raise Refused("expected a decimal number of at most 19 digits")
    m.push(int(text))


def _long1(m: Machine) -> None:
    if (count := m.number("B")) > 8:
        raise Refused(f"an integer of {count} bytes, limit 8")
    m.push(int.from_bytes(m.take(count), "little", signed=True))


def _quoted(m: Machine) -> None:
    line = m.line()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise Refused("expected a quoted string")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python 2 writes no escape that Python 3 warns of
        try:
            m.push(codecs.escape_decode(line[1:-1])[0])
        except DeprecationWarning:
            raise Refused("a string with an escape that Python 2 does not write") from None


def _tuple(m: Machine, items: list) -> None:
    if len(items) > LONGEST_TUPLE:
        raise Refused(f"a tuple of {len(items)}, limit {LONGEST_TUPLE}")
    if any(type(y) is tuple for x in items if type(x) is tuple for y in x):
        raise Refused("tuples nested deeper than 2")
    m.push(tuple(items))


def _pop_tuple(m: Machine, count: int) -> None:
    _tuple(m, [m.pop() for _ in range(count)][::-1])


def _set_items(m: Machine, items: list) -> None:
    """Dict entries; called with the dict on top of the stack."""
    target = m.stack[-1] if m.stack else None
    if type(target) is not dict or len(items) % 2:
        raise Refused("dict entries without a dict, or a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        key = key_of(key)
        if not isinstance(value, Array) or value.values is None:
            raise Refused(f"value of {key}: expected an array, got {type(value).__name__}")
        if key in target:
            raise Refused(f"key {key} stands twice in the file")
        target[key] = value.values


def _set_item(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    _set_items(m, [key, value])


def _dict(m: Machine) -> None:
    items = m.pop_to_mark()
    m.push({})
    _set_items(m, items)


def _global(m: Machine) -> None:
    module, name = (m.line(400).decode("ascii", "replace") for _ in range(2))
    m.push(named(module, name))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    if type(module) is not str or type(name) is not str:
        raise Refused("STACK_GLOBAL: expected two strings")
    m.push(named(module, name))


def _reduce(m: Machine) -> None:
    arguments, function = m.pop(), m.pop()
    made = called(function, arguments)
    _charge(m, made)
    m.push(made)


def _build(m: Machine) -> None:
    state, target = m.pop(), m.pop()
    made = built(target, state)
    _charge(m, made)
    m.push(made)


def _charge(m: Machine, made: Array | Dtype | bytes) -> None:
    if isinstance(made, bytes):
        m.charge(len(made))
    elif isinstance(made, Array) and made.values is not None:
        m.charge(made.values.nbytes)


def _protocol(m: Machine) -> None:
    if (version := m.number("B")) > 5:
        raise Refused(f"pickle protocol {version}, expected 0 to 5")


def _frame(m: Machine) -> None:
    if (count := m.number("Q")) > m.left():
        raise Refused(f"FRAME declares {count} bytes, {m.left()} remain: truncated or forged")


def _drop(m: Machine) -> None:
    m.pop()


def _drop_to_mark(m: Machine) -> None:
    m.pop_to_mark()


def _utf8(m: Machine, form: str) -> None:
    m.push(m.take(m.number(form)).decode("utf8", "surrogatepass"))


STEPS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"(": lambda m: m.push(MARK),
    b"0": _drop,
    b"1": _drop_to_mark,
    b"}": lambda m: m.push({}),
    b"d": _dict,
    b"s": _set_item,
    b"u": lambda m: _set_items(m, m.pop_to_mark()),
    b")": lambda m: m.push(()),
    b"t": lambda m: _tuple(m, m.pop_to_mark()),
    b"\x85": lambda m: _pop_tuple(m, 1),
    b"\x86": lambda m: _pop_tuple(m, 2),
    b"\x87": lambda m: _pop_tuple(m, 3),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"b": _build,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"K": lambda m: m.push(m.number("B")),
    b"M": lambda m: m.push(m.number("H")),
    b"J": lambda m: m.push(m.number("i")),
    b"I": _integer,
    b"L": lambda m: m.push(m.decimal()),
    b"\x8a": _long1,
    b"S": _quoted,
    b"U": lambda m: m.push(m.take(m.number("B"))),
    b"T": lambda m: m.push(m.take(m.number("i"))),
    b"C": lambda m: m.push(m.take(m.number("B"))),
    b"B": lambda m: m.push(m.take(m.number("I"))),
    b"\x8e": lambda m: m.push(m.take(m.number("Q"))),
    b"\x96": lambda m: m.push(m.take(m.number("Q"))),
    b"V": lambda m: m.push(codecs.decode(m.line(), "raw_unicode_escape")),
    b"X": lambda m: _utf8(m, "I"),
    b"\x8c": lambda m: _utf8(m, "B"),
    b"q": lambda m: m.put(m.number("B")),
    b"r": lambda m: m.put(m.number("I")),
    b"p": lambda m: m.put(m.decimal()),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"h": lambda m: m.get(m.number("B")),
    b"j": lambda m: m.get(m.number("I")),
    b"g": lambda m: m.get(m.decimal()),
}

"""What a pickle of RML2016 may build: numpy arrays of plain numbers, described, never called.

The names in the file stay names. `called` and `built` compare what the file asks for with the few
forms that Python 2 and Python 3 writers use, and raise `Refused` for anything else. They never put
an object made by the file into a message: its repr may not end.
"""

import math

import numpy as np
from numpy import ndarray

DTYPES = ("f4", "f8", "i4", "i8")
LARGEST_SIDE = 10**9
GLOBALS = {
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",  # numpy 2
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",  # bytes as Python 3 writes them in protocols 0 to 2
    "numpy.core.numeric._frombuffer": "frombuffer",  # protocol 5
    "numpy._core.numeric._frombuffer": "frombuffer",
}


class Refused(ValueError):
    """The file is not a plain dict of (modulation, snr) -> array, or is damaged."""


class Global:
    """A name in the file. It stands for nothing."""

    def __init__(self, role: str) -> None:
        self.role = role


class Dtype:
    """A number format, one of DTYPES, before or after its byte order is known."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "<"


class Array:
    """An array, before or after its numbers are known."""

    def __init__(self, values: ndarray | None = None) -> None:
        self.values = values


def named(module: str, name: str) -> Global:
    """The role of `module.name` in such files."""
    full = f"{module[:100]}.{name[:100]}"
    if full not in GLOBALS:
        raise Refused(f"the file asks for {full!r}, which no such data set needs")
    return Global(GLOBALS[full])


def called(function: object, arguments: object) -> Array | Dtype | bytes:
    """What REDUCE leaves on the stack: one of four calls, each with its exact arguments."""
    if not isinstance(function, Global) or type(arguments) is not tuple:
        raise Refused("a call of something that is not one of the allowed names")
    match function.role, *arguments:
        case "reconstruct", Global(role="ndarray"), (0,), (b"b" | "b"):
            return Array()
        case "dtype", (str() | bytes()) as code, (0 | False), (1 | True):
            return Dtype(_code(code))
        case "encode", str() as text, ("latin1" | "latin-1"):
            return text.encode("latin1")
        case "frombuffer", raw, dtype, shape, ("C" | "F") as order:
            return Array(_numbers(raw, dtype, shape, order))
    raise Refused(f"a call of {function.role} with other arguments than writers of arrays use")


def built(target: object, state: object) -> Array | Dtype:
    """What BUILD leaves on the stack: an array given its numbers, or a dtype given its order."""
    match target, state:
        case Array(values=None), (1, shape, dtype, (bool() | 0 | 1) as fortran, raw):
            target.values = _numbers(raw, dtype, shape, "F" if fortran else "C")
            return target
        case Dtype(), (3, order, None, None, None, _, _, _):
            order = order.decode("ascii") if type(order) is bytes else order
            if type(order) is not str or order not in ("<", ">", "|", "="):
                raise Refused("dtype: expected a byte order of < > | =")
            target.order = ">" if order == ">" else "<"
            return target
    raise Refused(f"state given to {type(target).__name__}: expected a new array or a dtype")


def key_of(key: object) -> tuple[str, int]:
    """(modulation, snr), as a str and an int that is not a bool."""
    match key:
        case ((str() | bytes()) as name, int() as snr) if type(key) is tuple:
            if type(snr) is bool:
                raise Refused("key: expected (modulation, snr in dB), got a bool as snr")
            if len(name) > 32:
                raise Refused(f"key: a modulation name of {len(name)} characters, limit 32")
            return (name.decode("ascii") if type(name) is bytes else name), snr
    size = f" of {len(key)}" if type(key) is tuple else ""
    raise Refused(f"key: expected (modulation, snr in dB), got {type(key).__name__}{size}")


def _code(code: str | bytes) -> str:
    code = code.decode("ascii", "replace") if type(code) is bytes else code
    if code not in DTYPES:
        raise Refused(f"dtype: expected one of {', '.join(DTYPES)}, got {code[:12]!r}")
    return code


def _numbers(raw: object, dtype: object, shape: object, order: str) -> ndarray:
    if not isinstance(dtype, Dtype):
        raise Refused("array without a dtype")
    if type(shape) is not tuple or not 1 <= len(shape) <= 4:
        raise Refused("array shape: expected a tuple of 1 to 4 sizes")
    if not all(type(side) is int and 0 < side <= LARGEST_SIDE for side in shape):
        raise Refused(f"array shape: expected sizes of 1 to {LARGEST_SIDE}")
    if type(raw) is not bytes:
        raise Refused(f"array data: expected bytes, got {type(raw).__name__}")
    if (needs := math.prod(shape) * int(dtype.code[1])) != len(raw):
        raise Refused(f"array {shape} of {dtype.code} needs {needs} bytes, the file has {len(raw)}")
    return np.frombuffer(raw, dtype=dtype.order + dtype.code).reshape(shape, order=order)

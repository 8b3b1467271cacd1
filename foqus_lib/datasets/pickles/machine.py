"""The stack machine under `grammar`: it takes bytes, never more than the file still has."""

import re
import struct
from typing import BinaryIO

from foqus_lib.datasets.pickles.values import Refused

LARGEST_STACK = 100_000
LARGEST_STRING = 64 << 20  # bytes
LARGEST_TOTAL = 4 << 30  # bytes of all arrays

MARK = object()


class Machine:
    """The stack, the memo and the place in the file. Instructions are functions on it."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.at = file, size, 0
        self.stack: list = []
        self.memo: dict[int, object] = {}
        self.made = 0  # bytes of strings and arrays built so far

    # Bytes of the file.

    def left(self) -> int:
        return self.size - self.file.tell()

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.left():
            raise Refused(f"declares {count} bytes, {self.left()} remain: truncated or forged")
        if count > LARGEST_STRING:
            raise Refused(f"a string of {count} bytes, limit {LARGEST_STRING}")
        return self.file.read(count)

    def number(self, form: str) -> int:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def line(self, limit: int = 5 * LARGEST_STRING) -> bytes:
        line = self.file.readline(limit)
        if not line.endswith(b"\n"):
            raise Refused("a line without end: truncated or forged")
        return line[:-1]

    def decimal(self) -> int:
        text = self.line(24)
        if not re.fullmatch(rb"-?[0-9]{1,20}L?", text):
            raise Refused("expected a decimal number of at most 20 digits")
        return int(text.rstrip(b"L"))

    # The stack.

    def push(self, value: object) -> None:
        if len(self.stack) >= LARGEST_STACK:
            raise Refused(f"more than {LARGEST_STACK} objects on the stack")
        self.stack.append(value)

    def pop(self) -> object:
        if not self.stack or self.stack[-1] is MARK:
            raise Refused("the stack is empty: truncated or forged")
        return self.stack.pop()

    def pop_to_mark(self) -> list:
        items = []
        while self.stack:
            if (top := self.stack.pop()) is MARK:
                return items[::-1]
            items.append(top)
        raise Refused("no MARK on the stack: truncated or forged")

    def put(self, index: int) -> None:
        if not 0 <= index <= LARGEST_STACK:
            raise Refused(f"memo place {index}, limit {LARGEST_STACK}")
        if not self.stack:
            raise Refused("nothing to remember")
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise Refused(f"memo place {index} was never filled")
        self.push(self.memo[index])

    def charge(self, count: int) -> None:
        """What is built must fit the file: bytes remembered once and used often do not."""
        self.made += count
        if self.made > min(2 * self.size, LARGEST_TOTAL):
            raise Refused(f"{self.made} bytes of arrays and strings from {self.size} in the file")

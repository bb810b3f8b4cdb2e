"""Takes a JSON text apart while it is read, so that a file of any size needs the memory of one of its pieces.

Pieces are the objects in the list that the text is, or in the named lists of the object that the text is. Only
strings, brackets and commas are looked at; whether a piece is JSON is for its reader to say.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from lib.core.json_outline import TooMuch

MOST_BYTES = 8_000_000
"""Of one piece, and of all that stands outside the pieces."""
MOST_MARKS = 400_000
"""Strings, brackets and commas in one piece, and outside them: a reader makes up to a hundred bytes out of each."""
MOST_PIECES = 100_000
MOST_MARKS_IN_ALL = 30_000_000
CHUNK = 1_000_000
# Possessive, as a string of many escapes would else fill the stack. The group is empty where the string goes on.
_MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?+)|[{}\[\],]', re.DOTALL)
_QUOTE = ord('"')


class Source(Protocol):
    """Something that bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most about `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """An object of the list under `key`, which is empty where the whole text is the list; `text` is None for one that
    is too large. `rest` marks the last piece: the text with 0 in place of each other piece, None where it is cut."""

    key: str
    text: bytes | None
    rest: bool = False


def pieces(source: Source, keys: Collection[str]) -> Iterator[Piece]:
    """The pieces of a JSON text in UTF-8, and the rest at last; raises TooMuch."""
    scan = _Scan({key.encode() for key in keys})
    while chunk := source.read(max(CHUNK, len(scan.buffer) // 2)):
        yield from scan.feed(chunk)
    yield scan.rest()


@dataclass(slots=True)
class _Scan:
    """Where a scan stands: `buffer` was looked at up to `looked`; `level` brackets are open there. The open piece, if
    any, begins at `start`; one that is `skipped` is too large. Pieces are what stands in `depth` brackets; 0: none."""

    keys: set[bytes]
    buffer: bytearray = field(default_factory=bytearray)
    looked: int = 0
    level: int = 0
    start: int | None = None
    skipped: bool = False
    marks: int = 0
    marks_outside: int = 0
    marks_in_all: int = 0
    found: int = 0
    depth: int = 0
    key: bytes = b""
    name: bytes = b""
    outside: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> list[Piece]:
        """Go on with `chunk`; the pieces that end in it."""
        self.buffer += chunk
        done: list[Piece] = []
        at, kept, marks = self.looked, 0, 0
        for mark in _MARK.finditer(self.buffer, at):
            sign = mark[0]
            if sign[0] == _QUOTE and not mark[1]:
                break  # it goes on in the next chunk
            marks += 1
            at = mark.end()
            if sign in b"{[":
                if sign == b"{" and self.start is None and self.level == self.depth > 0:
                    self.outside += self.buffer[kept : mark.start()] + b"0"
                    marks = self._count(marks)
                    self.start = mark.start()
                self._open(sign)
            elif sign in b"}]":
                self.level -= 1
                if self.start is not None and self.level == self.depth:
                    marks = self._count(marks)
                    done.append(self._end(at))
                    kept = at
            elif self.level == 1 and sign[0] == _QUOTE:
                self.name = sign[1:-1]
        self._count(marks)
        self._forget(kept, at)
        return done

    def rest(self) -> Piece:
        """What stood outside the pieces."""
        whole = self.level == 0
        self.outside += self.buffer
        return Piece("", bytes(self.outside) if whole else None, rest=True)

    def _open(self, sign: bytes) -> None:
        self.level += 1
        if self.start is not None:
            return
        if self.level == 1:
            self.depth = 1 if sign == b"[" else 0
        elif self.level == 2 and self.depth != 1:
            self.key = self.name
            self.depth = 2 if sign == b"[" and self.name in self.keys else 0

    def _end(self, end: int) -> Piece:
        assert self.start is not None
        small = not self.skipped and end - self.start <= MOST_BYTES
        text = bytes(self.buffer[self.start : end]) if small else None
        self.start, self.skipped, self.marks = None, False, 0
        self.found += 1
        if self.found > MOST_PIECES:
            raise TooMuch
        return Piece(self.key.decode() if self.depth == 2 else "", text)

    def _count(self, marks: int) -> int:
        """Add marks to the open piece, or to what stands outside; 0, to count on from."""
        self.marks_in_all += marks
        if self.start is None:
            self.marks_outside += marks
        else:
            self.marks += marks
            self.skipped = self.skipped or self.marks > MOST_MARKS
        if self.marks_in_all > MOST_MARKS_IN_ALL or self.marks_outside > MOST_MARKS:
            raise TooMuch
        return 0

    def _forget(self, kept: int, at: int) -> None:
        """Let go of what was looked at, up to `at`, and is not part of an open piece; outside pieces it is kept."""
        start = self.start
        if start is None:
            self.outside += self.buffer[kept:at]
        self.skipped = self.skipped or (start is not None and len(self.buffer) - start > MOST_BYTES)
        gone = at if start is None or self.skipped else start
        del self.buffer[:gone]
        self.looked, self.start = at - gone, None if start is None else 0
        # Only a single string can be this long: what else is too large was let go of.
        if len(self.buffer) > 2 * MOST_BYTES or len(self.outside) > MOST_BYTES:
            raise TooMuch

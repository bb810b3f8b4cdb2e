"""Measures a JSON text before it is parsed: a parser makes up to a hundred bytes out of each bracket.

Only strings, brackets and commas are looked at; whether the text is JSON at all is for its reader to say.
"""

import re
from typing import AnyStr, Generic

# The closing quote is optional, so that a string without an end takes the rest: looked for again from each escaped
# quote in it, it would take quadratic time. Possessive, as a string of many escapes would else fill the stack.
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[{}\[\],]', re.DOTALL)
_BYTES_MARK = re.compile(_MARK.pattern.encode(), re.DOTALL)
_OPENING, _CLOSING = ("{", "[", b"{", b"["), ("}", "]", b"}", b"]")


class TooMuch(ValueError):
    """The text holds more strings, brackets and commas than allowed."""


class Outline(Generic[AnyStr]):
    """What stands in a JSON text: `marks` is the number of its strings, brackets and commas, `pieces` are the places of
    the objects and lists that stand in `depth` others. Raises TooMuch when there are more than `most` marks."""

    def __init__(self, text: AnyStr, depth: int, most: int) -> None:
        self._text: AnyStr = text
        self.marks = 0
        self.pieces: list[slice] = []
        pattern: re.Pattern[AnyStr] = _MARK if isinstance(text, str) else _BYTES_MARK
        level = start = 0
        for mark in pattern.finditer(text):
            self.marks += 1
            if self.marks > most:
                raise TooMuch
            sign = mark[0]
            if sign in _OPENING:
                start = mark.start() if level == depth else start
                level += 1
            elif sign in _CLOSING:
                level -= 1
                if level == depth:
                    self.pieces.append(slice(start, mark.end()))

    def without_pieces(self, instead: AnyStr) -> AnyStr:
        """The text with `instead` in place of each piece."""
        kept: list[AnyStr] = []
        at = 0
        for piece in self.pieces:
            kept.append(self._text[at : piece.start])
            at = piece.stop
        kept.append(self._text[at:])
        return instead.join(kept)

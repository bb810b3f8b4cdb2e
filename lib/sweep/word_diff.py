"""Finds the words in which one text differs from another."""

from collections.abc import Iterator, Sequence
from itertools import islice

from rapidfuzz.distance import Indel

from lib.core.segmentation import segments

MOST_WORDS = 5_000
"""Comparing takes time, and memory, by the square of the words; what follows these is not compared."""
MOST_CHARACTERS = 20 * MOST_WORDS

Span = tuple[int, int]


def different(before: str, after: str) -> list[Span]:
    """Where `after` has words, or signs, that `before` has not at that point: pairs of begin and end, in UTF-16 units
    as browsers count. Neighbours are one span; what was only taken out leaves none."""
    if before == after:
        return []
    old, new = list(_words(before)), list(_words(after))
    places = [place for _word, place in new]
    changes = Indel.opcodes([word for word, _ in old], [word for word, _ in new])
    found = [
        (places[step.dest_start][0], places[step.dest_end - 1][1])
        for step in changes
        if step.tag in ("insert", "replace")
    ]
    return _in_utf16(after, found)


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """The words of a text with their places; spaces are none."""
    at = 0

    def every() -> Iterator[tuple[str, Span]]:
        nonlocal at
        for piece in segments(text[:MOST_CHARACTERS]):
            begin, at = at, at + len(piece)
            if not piece.isspace():
                yield piece, (begin, at)

    return islice(every(), MOST_WORDS)


def _in_utf16(text: str, spans: Sequence[Span]) -> list[Span]:
    """Places counted in characters, as browsers count them: twice what lies beyond U+FFFF."""
    if text.isascii():
        return list(spans)
    found, at, units = [], 0, 0
    for begin, end in spans:
        units += _units(text[at:begin])
        first = units
        units += _units(text[begin:end])
        found.append((first, units))
        at = end
    return found


def _units(text: str) -> int:
    return len(text) + sum(sign > "\uffff" for sign in text)

"""The words that somebody searches for, and their places in a text."""

import re

MOST_WORDS = 8
BEFORE = 30
AFTER = 90


def words_of(search: str) -> list[str]:
    """The words to be found, each once; a text without spaces is one."""
    return list(dict.fromkeys(search.split()))[:MOST_WORDS]


def longest(search: str) -> str:
    """The longest of the words, whose place is shown; empty where there is none."""
    return max(words_of(search), key=len, default="")


def marked(text: str, search: str) -> list[tuple[str, bool]]:
    """`text` in pieces, each with whether it is one of the words."""
    words = words_of(search)
    if not words:
        return [(text, False)]
    # The longest first: of two words that begin alike it is the one that was found.
    pattern = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    pieces = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    return [(piece, bool(index % 2)) for index, piece in enumerate(pieces) if piece]


def place_of(text: str, word: str) -> int | None:
    """Where `text` has the word first, as an index."""
    found = re.search(re.escape(word), text, re.IGNORECASE)
    return found.start() if found else None


def around(text: str, word: str) -> str:
    """One line of `text` with the word in it."""
    at = place_of(text, word) or 0
    begin, end = max(0, at - BEFORE), at + len(word) + AFTER
    line = " ".join(text[begin:end].split())
    return f"{'…' if begin else ''}{line}{'…' if end < len(text) else ''}"

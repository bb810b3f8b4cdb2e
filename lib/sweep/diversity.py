"""Measures how different several answers to the same question are."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import combinations

MOST_WORDS = 400
MOST_ANSWERS = 12


def variety(texts: Sequence[str]) -> float | None:
    """0 when all texts are the same word for word, 1 when they share none; None for fewer than two.

    The mean over all pairs of 1 - similarity of their word sequences (Ratcliff/Obershelp, difflib's ratio), on the
    first 400 words of at most 12 texts.
    """
    words = [text.split()[:MOST_WORDS] for text in texts[:MOST_ANSWERS] if text.strip()]
    pairs = list(combinations(words, 2))
    if not pairs:
        return None
    return sum(1 - SequenceMatcher(None, one, other, autojunk=False).ratio() for one, other in pairs) / len(pairs)

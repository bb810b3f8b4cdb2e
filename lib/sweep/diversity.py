"""Measures how different several answers to the same question are."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from itertools import combinations

from rapidfuzz.distance import Indel

# Comparing takes time by the square of the words, and so does the number of pairs by that of the answers.
MOST_WORDS = 400
MOST_ANSWERS = 12
MOST_KNOWN = 5_000
_known: "OrderedDict[bytes, float]" = OrderedDict()
"""By a hash of the texts: comparing takes milliseconds a pair, and the same texts are asked about at every look."""


def variety(texts: Sequence[str]) -> float | None:
    """0 when all texts are the same word for word, 1 when they share none; None for fewer than two.

    The mean over all pairs of how much of two word sequences has to be taken out and put in to make one the other: the
    words outside their longest common subsequence, of the words of both. On the first 400 words of at most 12 texts.
    """
    words = [text.split()[:MOST_WORDS] for text in texts[:MOST_ANSWERS] if text.strip()]
    pairs = list(combinations(words, 2))
    if not pairs:
        return None
    key = hashlib.sha256(repr(words).encode("utf-8", "surrogatepass")).digest()
    known = _known.get(key)
    if known is None:
        known = _known[key] = sum(Indel.normalized_distance(one, other) for one, other in pairs) / len(pairs)
        while len(_known) > MOST_KNOWN:
            _known.popitem(last=False)
    return known

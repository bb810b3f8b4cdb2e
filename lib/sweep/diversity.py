"""Measures how different several answers to the same question are."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import combinations

# Comparing takes time by the square of the words, and so does the number of pairs by that of the answers.
MOST_WORDS = 400
MOST_ANSWERS = 12
MOST_KNOWN = 5_000
_known: "OrderedDict[bytes, float]" = OrderedDict()
"""By a hash of the texts: comparing takes milliseconds a pair, and the same texts are asked about at every look."""


def variety(texts: Sequence[str]) -> float | None:
    """0 when all texts are the same word for word, 1 when they share none; None for fewer than two.

    The mean over all pairs of 1 - similarity of their word sequences (Ratcliff/Obershelp, difflib's ratio), on the
    first 400 words of at most 12 texts.
    """
    words = [text.split()[:MOST_WORDS] for text in texts[:MOST_ANSWERS] if text.strip()]
    pairs = list(combinations(words, 2))
    if not pairs:
        return None
    key = hashlib.sha256(repr(words).encode("utf-8", "surrogatepass")).digest()
    known = _known.get(key)
    if known is None:
        # autojunk off: difflib would pass over the commonest words of texts of 200 words and more.
        ratios = (SequenceMatcher(None, one, other, autojunk=False).ratio() for one, other in pairs)
        known = _known[key] = sum(1 - ratio for ratio in ratios) / len(pairs)
        while len(_known) > MOST_KNOWN:
            _known.popitem(last=False)
    return known

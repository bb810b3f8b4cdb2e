"""Measures how different several answers to the same question are."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from itertools import combinations

from rapidfuzz.distance import Indel

from lib.core.segmentation import words

# Comparing takes time by the square of the words, and so does the number of pairs by that of the answers.
MOST_WORDS = 2_000
MOST_CHARACTERS = 20 * MOST_WORDS
MOST_ANSWERS = 20
MOST_KNOWN = 5_000
_known: "OrderedDict[bytes, tuple[float, ...]]" = OrderedDict()
"""By a hash of the texts: comparing takes milliseconds a pair, and the same texts are asked about at every look."""


def differences(texts: Sequence[str]) -> tuple[float, ...]:
    """How different each pair of texts is: 0 where both have the same words in the same order, 1 where they share none;
    empty for fewer than two texts.

    1 - ROUGE-L (Lin 2004), the F-measure of the longest common subsequence of words: of the words of both, those that
    have to be taken out or put in to make one text the other. Capitals and punctuation don't count. On the first 2,000
    words of at most 20 texts.
    """
    compared = [text for text in texts if text.strip()][:MOST_ANSWERS]
    key = hashlib.sha256(repr(compared).encode("utf-8", "surrogatepass")).digest()
    known = _known.get(key)
    if known is None:
        known = _known[key] = _measured(compared)
        while len(_known) > MOST_KNOWN:
            _known.popitem(last=False)
    return known


def _measured(texts: Sequence[str]) -> tuple[float, ...]:
    cut = [words(text[:MOST_CHARACTERS])[:MOST_WORDS] for text in texts]
    return tuple(Indel.normalized_distance(one, other) for one, other in combinations(cut, 2))

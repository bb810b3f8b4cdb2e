"""How long an answer is, in words for its reader."""

from lib.core.i18n import Texts
from lib.core.segmentation import Length


def length_words(length: Length, texts: Texts) -> str:
    """So many words, or so many characters: as the length was counted."""
    _n, count = texts.counted, length.count
    words = _n("{count:,} word", "{count:,} words", count)
    if length.unit == "characters":
        words = _n("{count:,} character", "{count:,} characters", count)
    return words.format(count=count)

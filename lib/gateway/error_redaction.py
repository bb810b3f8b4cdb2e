"""Texts of errors made fit to keep: keys masked down to their last four characters, control characters out, bounded.

Services repeat keys in errors in part, and with stars in them: here, unlike in answers, what looks like a key is
masked too.
"""

import re
import unicodedata
from urllib.parse import quote

from lib.gateway.key_masking import KNOWN, last_four

MOST_CHARACTERS = 2_000
_MOST_READ = 100_000
_SHORTEST_KEY = 8
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|key)[-_](?:[\w.-]{12,}[\w-]|[\w.-]*[*•…](?:[\w*•….-]*[\w*•…-])?)|\bAIza[\w-]{20,}",
    re.ASCII,
)
_BEARER = re.compile(r"(\bBearer\s+|\bBasic\s+)([^\s\"'<>,;]+)", re.IGNORECASE)
# They turn the order of what follows: a text could show something else than it says.
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def masked(text: str, secret: str = "", most: int = MOST_CHARACTERS) -> str:
    """`text` without `secret` and known keys, and without anything that looks like one, cut to `most` characters."""
    # Bounded first: an error body can be megabytes, and only its beginning is kept.
    text = KNOWN.forms_with(secret).masked(text[: max(_MOST_READ, most)])
    if len(secret) >= _SHORTEST_KEY:
        for form in {secret, quote(secret, safe=""), secret.replace("/", "\\/")}:
            text = text.replace(form, last_four(secret))
        text = _without_begun(text, secret)
    text = _BEARER.sub(lambda found: found[1] + last_four(found[2]), text)
    text = _KEY_LIKE.sub(lambda found: last_four(found[0]), text)
    # Cut at the very end, so that no key is cut in two and passes by.
    return _plain(text).strip()[:most]


def _without_begun(text: str, secret: str) -> str:
    """A key that the end of a cut text holds only in part is masked too."""
    for size in range(len(secret) - 1, 3, -1):
        if text.endswith(secret[:size]):
            return text[:-size] + "…"
    return text


def _plain(text: str) -> str:
    return "".join(one for one in text if one in "\n\t" or not (_hidden(one) or one in _BIDI))


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")

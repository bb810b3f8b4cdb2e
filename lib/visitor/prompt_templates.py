"""Prompts with {{variables}}: three built-in ones, and where a visitor's own are stored."""

import re
from collections.abc import Mapping

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.visitor.saved_items import SavedItems

_VARIABLE = re.compile(r"\{\{\s*([^\W_][\w -]{0,38}?)\s*\}\}")

READY: Mapping[str, tuple[str, str]] = {
    "translate": (N_("Translate"), N_("Translate into {{language}}:\n\n{{text}}")),
    "explain": (N_("Explain"), N_("Explain {{topic}} to {{reader}}, in five sentences and with one example.")),
    "improve": (N_("Improve a text"), N_("Improve this text and say in one line what you changed:\n\n{{text}}")),
}
"""Those that are there from the start: name -> (title, prompt)."""

TEMPLATES = SavedItems("prompts", frozenset(READY))
"""The visitor's own: `{"text": prompt}` by name."""


def checked(text: str) -> str:
    """`text`; raises InvalidInput where there is none."""
    if not text.strip():
        raise InvalidInput(N_("The prompt is empty."))
    return text


def variables(text: str) -> list[str]:
    """The names in double braces, each once, in their order."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables replaced, once: braces inside a value stay as they are. Unknown ones stay too."""
    # In one pass: what a person fills in is never read as a variable.
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)

"""Prompts with {{variables}}: three built-in ones, beside a visitor's own (see saved_items.py)."""

from collections.abc import Mapping

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.visitor.saved_items import SavedItems

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

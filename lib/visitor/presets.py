"""Presets of the chat's settings: three built-in ones, and where a visitor's own are stored."""

from collections.abc import Mapping

from lib.core.i18n import N_
from lib.visitor.saved_items import SavedItems

READY: Mapping[str, tuple[str, float]] = {
    "precise": (N_("Precise"), 0.2),
    "balanced": (N_("Balanced"), 0.7),
    "creative": (N_("Creative"), 1.2),
}
"""Those that are there from the start: name -> (title, temperature)."""

PRESETS = SavedItems("presets", frozenset(READY))
"""The visitor's own: a control's name -> its value."""

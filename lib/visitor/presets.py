"""Presets of the chat's settings: three built-in ones, beside a visitor's own (see saved_items.py)."""

from collections.abc import Mapping

from sqlalchemy import Connection

from lib.core.i18n import N_
from lib.visitor import preferences
from lib.visitor.saved_items import SavedItems

READY: Mapping[str, tuple[str, float]] = {
    "precise": (N_("Precise"), 0.2),
    "balanced": (N_("Balanced"), 0.7),
    "creative": (N_("Creative"), 1.2),
}
"""Those that are there from the start: name -> (title, temperature)."""

PRESETS = SavedItems("presets", frozenset(READY))
"""The visitor's own: a control's name -> its value."""
_DEFAULT = "default_preset"


def default_preset(db: Connection, owner: str) -> str | None:
    """The name of the preset that new chats begin with; None where they begin with everything at rest."""
    name = preferences.get(db, owner, _DEFAULT)
    return name if isinstance(name, str) and (name in READY or name in PRESETS.own(db, owner)) else None


def begin_with(db: Connection, owner: str, name: str | None) -> None:
    """Let new chats begin with the preset `name`; None: with everything at rest."""
    preferences.put(db, owner, _DEFAULT, name)


def rename(db: Connection, owner: str, old: str, new: str) -> str:
    """Give a preset another name; the name as it is kept. Raises InvalidInput when it is taken."""
    is_default = default_preset(db, owner) == old
    name = PRESETS.rename(db, owner, old, new)
    if is_default:
        begin_with(db, owner, name)
    return name

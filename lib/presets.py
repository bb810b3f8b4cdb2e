"""A visitor's own presets: named settings of the chat page, kept among what they prefer."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from lib import preferences
from lib.errors import InvalidInput
from lib.words import N_

READY: Mapping[str, tuple[str, float]] = {
    "precise": (N_("Precise"), 0.2),
    "balanced": (N_("Balanced"), 0.7),
    "creative": (N_("Creative"), 1.2),
}
"""Those that are there from the start: name -> (title, temperature)."""

MOST = 50
MOST_CHARACTERS = 40_000
LONGEST_NAME = 60
_NAME = "presets"

Values = Mapping[str, Any]
"""The page's settings: a control's name -> its value, as JSON values."""


def own(db: Connection, owner: str) -> dict[str, Values]:
    """The visitor's presets by name, the oldest first."""
    return {preset["name"]: preset["values"] for preset in preferences.get(db, owner, _NAME) or []}


def save(db: Connection, owner: str, name: str, values: Values) -> str:
    """Keep `values` under `name`, instead of what had that name; the name as it is kept. Raises InvalidInput."""
    kept, name = own(db, owner), _fit(name)
    if len(json.dumps(values, ensure_ascii=False)) > MOST_CHARACTERS:
        raise InvalidInput(N_("A preset can't hold more than {most:,} characters."), most=MOST_CHARACTERS)
    if name not in kept and len(kept) >= MOST:
        raise InvalidInput(N_("There can be at most {most} presets; delete one first."), most=MOST)
    _put(db, owner, {**kept, name: dict(values)})
    return name


def rename(db: Connection, owner: str, old: str, new: str) -> str:
    """Give a preset another name, in its place; the name as it is kept. Raises InvalidInput when it is taken."""
    kept, new = own(db, owner), _fit(new)
    if new in kept and new != old:
        raise InvalidInput(N_("There is a preset named “{name}” already."), name=new)
    _put(db, owner, {new if name == old else name: values for name, values in kept.items()})
    return new


def delete(db: Connection, owner: str, name: str) -> None:
    """Forget a preset."""
    _put(db, owner, {kept: values for kept, values in own(db, owner).items() if kept != name})


def _put(db: Connection, owner: str, presets: Mapping[str, Values]) -> None:
    preferences.put(db, owner, _NAME, [{"name": name, "values": values} for name, values in presets.items()])


def _fit(name: str) -> str:
    """`name` on one line, cut to the length there is room for; raises InvalidInput where none is left."""
    cut = " ".join(name.split())[:LONGEST_NAME].strip()
    if not cut:
        raise InvalidInput(N_("The preset needs a name."))
    if cut.lower() in READY:
        raise InvalidInput(N_("There is a preset named “{name}” already."), name=cut)
    return cut

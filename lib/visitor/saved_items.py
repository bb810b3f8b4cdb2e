"""Stores what a visitor saves under a name: presets, prompts, sets of models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.visitor import preferences

# All things of a kind are one row, which is read and written as a whole.
MOST = 50
MOST_CHARACTERS = 40_000
LONGEST_NAME = 60

Values = Mapping[str, Any]
"""One thing that is kept: JSON values by name."""


@dataclass(frozen=True, slots=True)
class SavedItems:
    """Things of one kind, stored as the preference `kind`. `ready` are the names (lower case) of the built-in ones,
    which no other may have."""

    kind: str
    ready: frozenset[str] = frozenset()

    def own(self, db: Connection, owner: str) -> dict[str, Values]:
        """The visitor's things by name, the oldest first."""
        return {kept["name"]: kept["values"] for kept in preferences.get(db, owner, self.kind) or []}

    def save(self, db: Connection, owner: str, name: str, values: Values) -> str:
        """Keep `values` under `name`, instead of what had that name; the name as it is kept. Raises InvalidInput."""
        kept, name = self.own(db, owner), self._fit(name)
        if len(json.dumps(values, ensure_ascii=False)) > MOST_CHARACTERS:
            raise InvalidInput(N_("That is too long to keep: at most {most:,} characters."), most=MOST_CHARACTERS)
        if name not in kept and len(kept) >= MOST:
            raise InvalidInput(N_("At most {most} can be kept; delete one first."), most=MOST)
        self._put(db, owner, {**kept, name: dict(values)})
        return name

    def rename(self, db: Connection, owner: str, old: str, new: str) -> str:
        """Give a thing another name, in its place; the name as it is kept. Raises InvalidInput when it is taken."""
        kept, new = self.own(db, owner), self._fit(new)
        if new in kept and new != old:
            raise _taken(new)
        # The whole dict anew, as only that keeps the place.
        self._put(db, owner, {new if name == old else name: values for name, values in kept.items()})
        return new

    def delete(self, db: Connection, owner: str, name: str) -> None:
        """Delete an owner's item of that name, if there is one."""
        self._put(db, owner, {kept: values for kept, values in self.own(db, owner).items() if kept != name})

    def _put(self, db: Connection, owner: str, things: Mapping[str, Values]) -> None:
        preferences.put(db, owner, self.kind, [{"name": name, "values": things[name]} for name in things])

    def _fit(self, name: str) -> str:
        """`name` on one line, cut to the length there is room for; raises InvalidInput where none is left."""
        cut = " ".join(name.split())[:LONGEST_NAME].strip()
        if not cut:
            raise InvalidInput(N_("It needs a name."))
        if cut.lower() in self.ready:
            raise _taken(cut)
        return cut


def _taken(name: str) -> InvalidInput:
    return InvalidInput(N_("“{name}” is there already."), name=name)


MODEL_SETS = SavedItems("model_sets")
"""Models that are chosen together: `{"models": ["endpoint/model id", ...]}` by name."""

"""Stores the models that a visitor has starred, and those used last."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from lib.visitor import preferences

MOST_STARRED = 50
MOST_RECENT = 8
_NAME = "models"


@dataclass(frozen=True, slots=True)
class Favourites:
    """Values of the pickers, `endpoint/model id`: those starred, the oldest star first, and the last used first."""

    starred: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()

    def with_star(self, model: str) -> "Favourites":
        """With a star on `model`, or without it where there is one."""
        others = tuple(one for one in self.starred if one != model)
        # The newest star last, where the list is cut from the front.
        starred = others if model in self.starred else (*others, model)[-MOST_STARRED:]
        return Favourites(starred, self.recent)

    def with_used(self, used: Iterable[str]) -> "Favourites":
        """With `used` put first among the models used last."""
        return Favourites(self.starred, tuple(dict.fromkeys([*used, *self.recent]))[:MOST_RECENT])

    def of_endpoints(self, endpoints: Collection[str]) -> "Favourites":
        """Only those of the endpoints with these names."""
        return Favourites(_of(self.starred, endpoints), _of(self.recent, endpoints))


def of(db: Connection, owner: str) -> Favourites:
    """The favourites of `owner`; empty where none were kept."""
    kept = preferences.get(db, owner, _NAME) or {}
    return Favourites(tuple(kept.get("starred", ())), tuple(kept.get("recent", ())))


def keep(db: Connection, owner: str, favourites: Favourites) -> None:
    """Store the favourites of `owner`, instead of those before."""
    preferences.put(db, owner, _NAME, asdict(favourites))


def _of(models: Iterable[str], endpoints: Collection[str]) -> tuple[str, ...]:
    # A service may not be connected today; its stars are kept for the day it is.
    return tuple(model for model in models if model.partition("/")[0] in endpoints)

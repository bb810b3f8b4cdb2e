"""Which calls a page of figures is about: whose, of when, and of which services, models, pages and outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Outcome = Literal["ok", "failed", "cut", "filtered", "stopped", "running"]
"""How a call went; every call has exactly one. `cut` ended before its answer did, or at the longest answer allowed."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FILTERS = ("endpoints", "models", "pages", "outcomes", "places")


@dataclass(frozen=True, slots=True)
class Scope:
    """The owner's calls, or with `session` those of one browser session, that began from `since` on and before `until`
    (microseconds since 1970 in UTC; None: no bound). A filter that is empty lets every call through; `places` are ids
    of chats and sweeps."""

    owner: str
    session: str | None = None
    since: int | None = None
    until: int | None = None
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def filters(self) -> Mapping[str, tuple[Any, ...]]:
        """The filters that are set, by name."""
        return {name: values for name in FILTERS if (values := getattr(self, name))}

    @property
    def timed(self) -> bool:
        """Whether it is bounded in time."""
        return self.since is not None or self.until is not None

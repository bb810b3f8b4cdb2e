"""Who is inside a shared Tempera: as many people as its operator lets in at once, each with so many tabs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from lib.core.errors import Full, TooManyTabs

KEPT_SECONDS = 60.0
"""For so long a seat is kept for who has no tab open: while a page loads, is loaded anew or has lost its network."""
MOST_TABS = 30
"""Of one person. Each takes memory, and a person who looks for another tab has fewer."""


@dataclass(slots=True)
class _Seat:
    """One person's: how many tabs are open, and until when it is kept while there are none."""

    tabs: int
    kept_until: float


class Seats:
    """The people inside, by the visitor's id; `most` of them, 0 for any number. For one thread."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._taken: dict[str, _Seat] = {}

    def take(self, visitor: str) -> None:
        """A seat for who asks for a page, kept until its tab opens; raises Full where there is none."""
        now = self._clock()
        for other in [name for name, seat in self._taken.items() if not seat.tabs and seat.kept_until < now]:
            del self._taken[other]
        if visitor not in self._taken and self._most and len(self._taken) >= self._most:
            raise Full
        self._taken.setdefault(visitor, _Seat(0, 0)).kept_until = now + KEPT_SECONDS

    def enter(self, visitor: str) -> None:
        """A tab has opened; raises Full and TooManyTabs."""
        self.take(visitor)
        seat = self._taken[visitor]
        if seat.tabs >= MOST_TABS:
            raise TooManyTabs(most=MOST_TABS)
        seat.tabs += 1

    def leave(self, visitor: str) -> None:
        """One of the tabs that had entered is closed."""
        seat = self._taken[visitor]
        seat.tabs, seat.kept_until = seat.tabs - 1, self._clock() + KEPT_SECONDS

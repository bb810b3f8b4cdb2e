"""Slows down who sends too much at once, where many share: nothing is refused, it waits."""

import time
from collections.abc import Callable

MOST_KNOWN = 1_000
"""More are looked through for those who wait for nothing any more."""


class Throttle:
    """`rate` messages a second for each, after `burst` at once. For one thread."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._ahead, self._clock = rate, burst / rate, clock
        self._next: dict[str, float] = {}
        """When the next message of each would be due if there were no burst."""

    def wait(self, who: str) -> float:
        """Counts a message of somebody; for how many seconds it has to wait."""
        now = self._clock()
        if len(self._next) > MOST_KNOWN:
            self._next = {name: due for name, due in self._next.items() if due > now}
        due = max(now, self._next.get(who, now))
        self._next[who] = due + 1 / self._rate
        return max(0.0, due - now - self._ahead)

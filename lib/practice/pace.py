"""How fast the practice model answers on this computer."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

USUAL_PER_MINUTE = 20
"""On two busy cores at temperature 0, where one answer comes after the other (`python -m bench.practice`)."""
_ENOUGH = 3
"""Answers after which the measured pace is told."""


class Pace:
    """Counts answers and the time in which there was something to answer. Written on one event loop, read anywhere."""

    def __init__(self) -> None:
        self._answers = 0
        self._seconds = 0.0
        self._running = 0
        self._since = 0.0

    @contextmanager
    def running(self, answers: int) -> Iterator[None]:
        """Count `answers` that are written meanwhile, unless an error ends them."""
        self._note()
        self._running += 1
        try:
            yield
            self._answers += answers
        finally:
            self._note()
            self._running -= 1

    @property
    def per_minute(self) -> float | None:
        """Answers a minute; None before there were a few."""
        return 60 * self._answers / self._seconds if self._answers >= _ENOUGH and self._seconds else None

    def _note(self) -> None:
        now = monotonic()
        if self._running:
            self._seconds += now - self._since
        self._since = now

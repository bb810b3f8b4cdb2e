"""How often an answer is drawn while it is written: less often, the more pages of this process draw at once.

A frame takes a core some two milliseconds, and all pages draw on one. Without this bound thirty of them take all of it,
and then first words and a press of Stop wait for frames that nobody can tell from the ones before.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

FRAME_SECONDS = 0.06
MOST_A_SECOND = 200
"""Frames of all pages together: with 12 pages each still has all of its own, with 50 four a second."""


class FrameRate:
    """Counts the pages that draw."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages = 0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """While a page draws an answer."""
        with self._lock:
            self._pages += 1
        try:
            yield
        finally:
            with self._lock:
                self._pages -= 1

    @property
    def seconds(self) -> float:
        """Between two frames of a page."""
        return max(FRAME_SECONDS, self._pages / MOST_A_SECOND)


RATE = FrameRate()
"""That of this process."""

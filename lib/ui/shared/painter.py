"""Draws what is written while it is looked at, on all pages by one thread: no script run has to wait for it.

A frame takes a core some two milliseconds, so all pages together get so many frames a second and no more. Without this
bound thirty of them take all of it, and then first words and a press of Stop wait for frames that nobody can tell from
the ones before.
"""

import logging
import threading
import time
from typing import Protocol

from lib.streamlit_drawing import OpenPage

log = logging.getLogger(__name__)
LOOK_SECONDS, LOOK_PER_PAGE = 0.005, 0.0006
"""Between two looks, and for each page: with 50 pages each is looked at some thirty times a second."""
FRAME_SECONDS = 0.06
MOST_A_SECOND = 150
"""Frames of all pages together: with 9 pages each still has all of its own, with 50 three a second."""
AWAY_SECONDS = 150
"""Streamlit keeps a tab for two minutes after its connection has gone."""
PAINT_SECONDS = 0.08
"""What a browser needs to paint the last words. Drawn anew at once, the whole page would be taken in before that."""


class Growing(Protocol):
    """What is drawn again and again until it is whole."""

    @property
    def over(self) -> bool:
        """Whether the page has to be run anew: all is drawn to its end, or it wants something else of the page."""

    def due(self, now: float, least: float) -> bool:
        """Whether a frame is to be drawn at `now`, `least` seconds after the one before or at once."""

    def draw(self) -> None:
        """Draw what is new."""


def frame_seconds(pages: int) -> float:
    """Between two frames of a page where so many pages draw."""
    return max(FRAME_SECONDS, pages / MOST_A_SECOND)


class PaintedPage:
    """A page on which something grows. Once that is `over` the page runs anew, unless it is `covered`: whoever closes
    the dialog above it has it run."""

    def __init__(self, page: OpenPage, grows: Growing, covered: bool) -> None:
        self._page, self._grows, self._covered = page, grows, covered
        # Held while a frame is drawn: a run that has released the page meets nothing that still draws.
        self._lock = threading.Lock()
        self._here = self._growing = time.monotonic()
        self._failed = False

    def release(self) -> None:
        """Draw no more, from the return of this on."""
        with self._lock:
            self._page.released = True

    def step(self, now: float, pages: int) -> bool:
        """Do what is to be done at `now` where so many pages draw; whether there is more to do."""
        with self._lock:
            if self._page.released or self._page.asked:
                return False
            if self._page.away:
                return now - self._here < AWAY_SECONDS
            self._here = now
            if self._page.reconnected or (self._grows.over and not self._page.behind):
                return self._run_anew(now)
            self._growing = now
            if self._page.behind:
                self._page.send()
            elif self._grows.due(now, frame_seconds(pages)):
                self._frame()
            return True

    def _run_anew(self, now: float) -> bool:
        if now - self._growing >= PAINT_SECONDS and not self._covered:
            self._page.run_anew()
        return not self._covered

    def _frame(self) -> None:
        try:
            self._page.draw(self._grows.draw)
        except Exception:  # the other pages are drawn by this thread too, and this one's end is still to come
            if not self._failed:
                log.exception("a page could not be drawn on")
            self._failed = True


class Painter:
    """The pages on which something grows, and the thread that draws on them; it is there while there are such."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, PaintedPage] = {}
        self._thread: threading.Thread | None = None

    def paint(self, grows: Growing, covered: bool) -> None:
        """Draw what `grows` on the page whose run this is, when the run has ended."""
        page = OpenPage()
        with self._lock:
            self._pages[page.tab] = PaintedPage(page, grows, covered)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="painter", daemon=True)
                self._thread.start()

    def release(self, tab: str | None) -> None:
        """A run draws this tab's page anew: draw on it no more."""
        with self._lock:
            page = self._pages.pop(tab or "", None)
        if page is not None:
            page.release()

    def close(self) -> None:
        """Draw on no page any more."""
        for tab in list(self._pages):
            self.release(tab)

    def _run(self) -> None:
        began = time.monotonic()
        while pages := self._look():
            # On a machine that is busy it rests as long as it took: what is pressed goes before what is drawn.
            time.sleep(max(LOOK_SECONDS, pages * LOOK_PER_PAGE, time.monotonic() - began))
            began = time.monotonic()

    def _look(self) -> int:
        """Look at each page; how many there are."""
        with self._lock:
            pages = dict(self._pages)
            if not pages:
                self._thread = None
        for tab, page in pages.items():
            if not page.step(time.monotonic(), len(pages)):
                self._forget(tab, page)
        return len(pages)

    def _forget(self, tab: str, page: PaintedPage) -> None:
        with self._lock:
            if self._pages.get(tab) is page:
                del self._pages[tab]


PAINTER = Painter()
"""That of this process."""

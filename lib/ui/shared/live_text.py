"""A text that grows on the page: finished parts are sent once, only the last is sent again."""

from typing import Any

from lib.ui.shared.markdown import rendered
from lib.ui.shared.markdown_blocks import blocks

CURSOR = "▌"


class LiveText:
    """A growing Markdown text in a container. A frozen block keeps its place when the page is drawn again."""

    def __init__(self, place: Any) -> None:
        self._place = place
        self._frozen = 0
        self._tail: Any = None
        self.tail = 0
        """Characters that are sent again with each frame."""

    def show(self, text: str, cursor: str = "") -> None:
        """Draw `text`, resending only what is new since the last call."""
        parts = blocks(text)
        for part in parts[self._frozen : -1]:
            self._draw(rendered(part))
            self._tail = None
            self._frozen += 1
        if parts:
            self._draw(rendered(parts[-1]) + cursor)
            self.tail = len(parts[-1])

    def _draw(self, text: str) -> None:
        """Draw the tail, in its own place once it has one. A first word is one message to the browser, not two."""
        if self._tail is None:
            # No placeholder first: that would be a message of its own before the first word (streamlit sends both).
            self._tail = self._place.markdown(text)
        else:
            self._tail.markdown(text)

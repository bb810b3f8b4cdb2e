"""A text that grows on the page: only the pieces of it that have changed are sent again."""

import math

from lib.calls.owner_line import InLine
from lib.calls.runner import Answer
from lib.core.rich_text import Growing
from lib.ui.shared.markdown import Container, draw_piece
from lib.ui.shared.texts import _, _n

CURSOR = "▌"


def waiting(answer: Answer) -> str:
    """What an answer waits for that is not the model: a place beside the owner's others, or that it is tried again
    after a refusal; "" where it does not."""
    in_line = answer.in_line
    if in_line is not None:
        return _in_line(in_line)
    if answer.waiting is None or not answer.reply.empty:
        return ""
    seconds = math.ceil(answer.waiting)
    if not seconds:
        return _("Attempt {attempt}…").format(attempt=answer.attempts)
    words = _n(
        "The service is busy; attempt {attempt} follows in {seconds} second.",
        "The service is busy; attempt {attempt} follows in {seconds} seconds.",
        seconds,
    )
    return words.format(attempt=answer.attempts, seconds=seconds)


def _in_line(standing: InLine) -> str:
    if standing.seconds is None:
        return _("Waiting for a place. Most answers at a time for one person here: {most}.").format(
            most=standing.concurrency
        )
    words = _("Waiting for a place, about {seconds} s. Most answers at a time for one person here: {most}.")
    return words.format(seconds=math.ceil(standing.seconds), most=standing.concurrency)


class LiveText:
    """A growing Markdown text in a container. A finished piece keeps its place when the page is drawn again."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._text = Growing()
        self._drawn: list[tuple[Container, str]] = []
        self.tail = 0
        """Characters that are sent again with each frame."""

    def show(self, text: str, cursor: str = "") -> None:
        """Draw `text`, resending only what is new since the last call."""
        pieces = self._text.pieces(text, cursor)
        for index, piece in enumerate(pieces):
            if index == len(self._drawn):
                # No placeholder first: that would be a message of its own before the first word.
                self._drawn.append((draw_piece(self._container, piece), piece))
            elif self._drawn[index][1] != piece:
                draw_piece(self._drawn[index][0], piece)
                self._drawn[index] = (self._drawn[index][0], piece)
        while len(self._drawn) > len(pieces):  # two pieces may become one: a table's head was a paragraph before
            self._drawn.pop()[0].empty()
        self.tail = len(pieces[-1]) if pieces else 0

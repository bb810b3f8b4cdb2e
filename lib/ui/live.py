"""Follows a running answer: what is finished is drawn once, only the tail is drawn again."""

import time
from typing import Any

from lib.runner import Answer
from lib.ui.blocks import blocks
from lib.ui.safe import rendered
from lib.ui.texts import _

FRAME_SECONDS = 0.04
LOOK_SECONDS = 0.5
CURSOR = "▌"


class LiveText:
    """A growing Markdown text in a container. A frozen block keeps its place when the page is drawn again."""

    def __init__(self, place: Any) -> None:
        self._place = place
        self._frozen = 0
        self._tail = place.empty()

    def show(self, text: str, cursor: str = "") -> None:
        """Draw `text`, resending only what is new since the last call."""
        parts = blocks(text)
        for part in parts[self._frozen : -1]:
            self._tail.markdown(rendered(part))
            self._tail = self._place.empty()
            self._frozen += 1
        if parts:
            self._tail.markdown(rendered(parts[-1]) + cursor)


class LiveChoice:
    """One choice of a running answer: its reasoning, folded, and its text."""

    def __init__(self, place: Any) -> None:
        self._reasoning_place = place.container()
        self._reasoning: LiveText | None = None
        self._text = LiveText(place.container())
        self._shown = (0, 0)

    def show(self, answer: Answer, index: int) -> None:
        """Draw what has come for choice `index`."""
        if index >= len(answer.reply.choices):
            return
        choice = answer.reply.choices[index]
        size = (len(choice.pieces), len(choice.thoughts))
        if size == self._shown:
            return
        self._shown = size
        if choice.thoughts:
            if self._reasoning is None:
                self._reasoning = LiveText(thinking(self._reasoning_place))
            self._reasoning.show(choice.reasoning)
        if choice.pieces:
            self._text.show(choice.text, CURSOR)


def thinking(place: Any) -> Any:
    """The folded place for reasoning."""
    return place.expander(_("Thinking"), type="compact", icon=":material/psychology:")


def follow(answer: Answer, places: list[Any], status: Any) -> None:
    """Draw the answer until it ends. The first word is drawn at once, then at most one frame each 40 ms.

    A script run that is interrupted here loses nothing: the answer grows in its job, and the next run follows on.
    """
    live = [LiveChoice(place) for place in places]
    seen, said = -1, ""
    while True:
        finished = answer.finished
        now = _status(answer)
        if now != said:
            status.caption(now)
            said = now
        for index, choice in enumerate(live):
            choice.show(answer, index)
        if finished:
            return
        if not answer.reply.empty:
            time.sleep(FRAME_SECONDS)
        seen = answer.wait(seen, LOOK_SECONDS)


def _status(answer: Answer) -> str:
    if answer.waiting is not None and answer.reply.empty:
        return _("The service is busy; attempt {attempt} follows.").format(attempt=answer.attempts)
    if answer.reply.empty:
        return _("Reading your text… {seconds} s").format(seconds=int(answer.seconds))
    return _("Writing…")

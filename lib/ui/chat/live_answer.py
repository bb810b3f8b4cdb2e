"""Refreshes answers while they are written."""

import time
from collections.abc import Sequence
from math import inf

import streamlit as st

from lib.calls.runner import Answer
from lib.streamlit_drawing import is_served
from lib.ui.shared.live_text import CURSOR, LiveText, waiting
from lib.ui.shared.markdown import Container
from lib.ui.shared.painter import LOOK_SECONDS, PAINTER, frame_seconds
from lib.ui.shared.texts import _

LONGEST_FRAME_SECONDS = 1.5
RESENT_PER_SECOND, LONG = 8_000, 5_000
"""Characters that may be sent again each second, and the length at which it is half as many: a paragraph of 450 is
drawn every 60 ms, one of 2,000 every 350, one of 5,000 every 1,250."""


class LiveChoice:
    """One choice of a running answer: its reasoning, folded, and its text, which goes on with `begun`."""

    def __init__(self, container: Container, begun: str) -> None:
        self._begun = begun
        self._container = container
        self._reasoning: LiveText | None = None
        self._text = LiveText(container)
        self._shown = (-1 if begun else 0, 0, CURSOR)

    @property
    def tail(self) -> int:
        """Characters that are sent again with each frame."""
        return self._text.tail + (self._reasoning.tail if self._reasoning else 0)

    def show(self, answer: Answer, index: int) -> None:
        """Draw what has come for choice `index`."""
        choices = answer.reply.choices
        choice = choices[index] if index < len(choices) else None
        cursor = "" if answer.finished else CURSOR
        size = (len(choice.pieces), len(choice.thoughts), cursor) if choice else (0, 0, CURSOR)
        if size == self._shown:
            return
        self._shown = size
        if choice and choice.thoughts:
            if self._reasoning is None:
                self._reasoning = LiveText(thinking(self._container))
            self._reasoning.show(choice.reasoning)
        # All that was shown may turn out to have been thought, and the text is empty again.
        if self._begun or (choice and choice.pieces) or self._text.tail:
            self._text.show(self._begun + (choice.text if choice else ""), cursor)


class LiveAnswer:
    """A running answer in its containers, one for each choice, with a line that says how it stands. Where its first
    word is not there `patience` seconds after it was asked, it is `late`; `asked` tells that a question about that
    stands on the page. `stop` has its own Stop, and is emptied when it ends before others."""

    def __init__(
        self,
        answer: Answer,
        containers: Sequence[Container],
        status: Container,
        begun: str = "",
        asked: bool = False,
        patience: float = inf,
        stop: Container | None = None,
    ) -> None:
        self.answer = answer
        self._choices = [LiveChoice(container, begun) for container in containers]
        # Where the question stands in the status' place it is not drawn over.
        self._status, self._said = status, _status(answer, asked) if asked else ""
        self._began = not answer.reply.empty
        self._asked, self._patience = asked, patience
        self._stop = stop

    @property
    def tail(self) -> int:
        """Characters that are sent again with each frame."""
        return sum(choice.tail for choice in self._choices)

    @property
    def late(self) -> bool:
        """Whether the visitor is to be asked what to do; once."""
        return not self._asked and is_late(self.answer, self._patience)

    def show(self) -> None:
        """Draw what is new."""
        began, self._began = self._began, not self.answer.reply.empty
        for index, choice in enumerate(self._choices):
            choice.show(self.answer, index)
        now = _status(self.answer, self._asked)
        # Not beside the first word: the browser would take it in before it paints either.
        if now != self._said and began == self._began:
            self._status.caption(now)
            self._said = now
        # Emptied here: the other answers go on being drawn in this page.
        if self.answer.finished and self._stop is not None:
            self._stop.empty()
            self._stop = None


class LiveAnswers:
    """All answers of a page that are being written. The first word is drawn at once, then at most one frame each 60 ms
    (less often where many pages draw), and each end at once again."""

    def __init__(self, live: Sequence[LiveAnswer]) -> None:
        self._live = live
        self._drawn_at = 0.0
        self._drawn = self._stand()

    @property
    def over(self) -> bool:
        """Whether the page has to be run anew: all have ended and are drawn, or there is something to be asked."""
        return all(finished for finished, _empty in self._drawn) or any(one.late for one in self._live)

    def due(self, now: float, least: float) -> bool:
        """Whether a frame is to be drawn: a first word or an end has come, or it is time for one."""
        return self._stand() != self._drawn or now >= self._drawn_at + _frame(self._live, least)

    def draw(self) -> None:
        """Draw what is new."""
        # Looked at first: what comes meanwhile is the next frame's. It counts as drawn where it can't be, too.
        self._drawn, self._drawn_at = self._stand(), time.monotonic()
        for one in self._live:
            one.show()

    def wait(self, seconds: float) -> None:
        """Wait for an end, at most so many seconds."""
        running = [one.answer for one in self._live if not one.answer.finished]
        if running:
            running[0].wait_until_finished(seconds)

    def _stand(self) -> list[tuple[bool, bool]]:
        return [(one.answer.finished, one.answer.reply.empty) for one in self._live]


def thinking(container: Container, label: str = "") -> Container:
    """The folded place for reasoning."""
    return container.expander(label or _("Thinking"), type="compact", icon=":material/psychology:")


def is_late(answer: Answer, patience: float) -> bool:
    """Whether nothing has come of an answer `patience` seconds after it was asked for."""
    return answer.reply.empty and answer.seconds >= patience and answer.in_line is None


def follow(answers: LiveAnswers, covered: bool) -> None:
    """Draw answers as they are now, and have them drawn to their end when this run has ended; then the page runs anew,
    unless it is `covered` by a dialog.

    Who presses something meanwhile loses nothing: the answers grow in their jobs, and the next run follows on.
    """
    answers.draw()
    if is_served():
        PAINTER.paint(answers, covered)
    elif not covered:
        _draw_to_the_end(answers)
        st.rerun()


def _draw_to_the_end(answers: LiveAnswers) -> None:
    """As the painter does, in this run: in a test there is no page to be drawn on after it."""
    while not answers.over:
        answers.wait(LOOK_SECONDS)
        if answers.due(time.monotonic(), frame_seconds(1)):
            answers.draw()


def _frame(live: Sequence[LiveAnswer], least: float) -> float:
    """Seconds until the next frame: more where long paragraphs have to be sent again."""
    again = sum(one.tail for one in live)
    wanted = again / RESENT_PER_SECOND * (1 + again / LONG)
    return min(max(least, wanted), max(least, LONGEST_FRAME_SECONDS))


def _status(answer: Answer, asked: bool) -> str:
    if answer.finished:
        return _("Done.")
    if waits := waiting(answer):
        return waits
    if not answer.reply.empty:
        return _("Writing…")
    if asked:
        return "…"  # under a question the seconds stand still, so that its buttons are not drawn over
    words = _("Reading your text… {seconds} s")
    if not answer.request.params.stream:
        words = _("This chat waits for the whole answer (stream is off)… {seconds} s")
    return words.format(seconds=int(answer.seconds))

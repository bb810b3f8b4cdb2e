"""Refreshes answers while they are written."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from lib.calls.runner import Answer
from lib.ui.chat.frame_rate import RATE
from lib.ui.shared import hearing
from lib.ui.shared.live_text import CURSOR, LiveText, waiting
from lib.ui.shared.texts import _

PAINT_SECONDS = 0.08
"""What a browser needs to paint the last words. Drawn anew at once, the whole page would be taken in before that."""
LONGEST_FRAME_SECONDS = 1.5
RESENT_PER_SECOND, LONG = 8_000, 5_000
"""Characters that may be sent again each second, and the length at which it is half as many: a paragraph of 450 is
drawn every 60 ms, one of 2,000 every 350, one of 5,000 every 1,250."""


class LiveChoice:
    """One choice of a running answer: its reasoning, folded, and its text, which goes on with `begun`."""

    def __init__(self, place: Any, begun: str = "") -> None:
        self._begun = begun
        self._place = place
        self._reasoning: LiveText | None = None
        self._text = LiveText(place)
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
                self._reasoning = LiveText(thinking(self._place))
            self._reasoning.show(choice.reasoning)
        # All that was shown may turn out to have been thought, and the text is empty again.
        if self._begun or (choice and choice.pieces) or self._text.tail:
            self._text.show(self._begun + (choice.text if choice else ""), cursor)


class LiveAnswer:
    """A running answer in its places, one for each choice, with a line that says how it stands. Where its first word is
    long in coming, `ask_what_to_do` puts a question into that line's place, once. `stop` is the place of its own Stop,
    which is emptied when it ends before others."""

    def __init__(
        self,
        answer: Answer,
        places: Sequence[Any],
        status: Any,
        begun: str = "",
        ask_what_to_do: Callable[[Any], None] | None = None,
        patience: float = 0.0,
        stop: Any = None,
    ) -> None:
        self.answer = answer
        self._choices = [LiveChoice(place, begun) for place in places]
        self._status, self._said = status, ""
        self._began = not answer.reply.empty
        self._ask, self._patience, self._asked = ask_what_to_do, patience, False
        self._stop = stop

    @property
    def tail(self) -> int:
        """Characters that are sent again with each frame."""
        return sum(choice.tail for choice in self._choices)

    def show(self) -> None:
        """Draw what is new."""
        late = self.answer.reply.empty and self.answer.seconds >= self._patience and self.answer.in_line is None
        if self._ask and late and not self._asked:
            self._asked = True
            self._ask(self._status.container())
            self._said = _status(self.answer, self._asked)
        began, self._began = self._began, not self.answer.reply.empty
        for index, choice in enumerate(self._choices):
            choice.show(self.answer, index)
        now = _status(self.answer, self._asked)
        # Not beside the first word: the browser would take it in before it paints either.
        if now != self._said and began == self._began:
            self._status.caption(now)
            self._said = now
        # Emptied here and not by a rerun: the other answers go on being drawn by this one.
        if self.answer.finished and self._stop is not None:
            self._stop.empty()
            self._stop = None


def thinking(place: Any, label: str = "") -> Any:
    """The folded place for reasoning."""
    return place.expander(label or _("Thinking"), type="compact", icon=":material/psychology:")


def follow(live: Sequence[LiveAnswer], once: bool = False) -> None:
    """Draw answers until all have ended, or `once` as they are now. The first word is drawn at once, then at most one
    frame each 60 ms (less often where many pages draw), and the end at once again.

    A script run that is interrupted here loses nothing: the answers grow in their jobs, and the next run follows on.
    """
    with RATE.drawing():
        _follow(live, once)
    if live and not once:
        time.sleep(PAINT_SECONDS)


def _follow(live: Sequence[LiveAnswer], once: bool) -> None:
    # In the main script and not in a fragment: a fragment's Stop can't interrupt what runs (streamlit#11030), and one
    # that polls costs ten times the CPU.
    seen = -1
    while True:
        running = [one for one in live if not one.answer.finished]
        for one in live:
            one.show()
        if once or not running:
            break
        first = running[0].answer
        if len(running) > 1 or not first.reply.empty:
            hearing.until(first.wait_until_finished, _frame(live))
        if len(running) == 1:
            seen = first.wait(seen, hearing.SECONDS)
            hearing.hear()


def _frame(live: Sequence[LiveAnswer]) -> float:
    """Seconds until the next frame: more where long paragraphs have to be sent again."""
    again = sum(one.tail for one in live)
    wanted = again / RESENT_PER_SECOND * (1 + again / LONG)
    return min(max(RATE.seconds, wanted), LONGEST_FRAME_SECONDS)


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

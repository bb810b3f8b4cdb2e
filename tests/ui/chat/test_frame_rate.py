"""How often answers are drawn while they are written, where many pages draw at once."""

from contextlib import ExitStack, suppress

import pytest

from lib.ui.chat import live_answer
from lib.ui.chat.frame_rate import FRAME_SECONDS, MOST_A_SECOND, RATE, FrameRate
from tests.fake_api import FakeApi
from tests.pages import ask, new_tab


def test_all_pages_together_draw_so_many_frames_a_second_and_no_more() -> None:
    rate = FrameRate()
    assert rate.seconds == FRAME_SECONDS
    for pages in (1, 10, 50, 500):
        with ExitStack() as all_of_them:
            for _ in range(pages):
                all_of_them.enter_context(rate.drawing())
            assert rate.seconds >= FRAME_SECONDS and pages / rate.seconds <= max(MOST_A_SECOND, 1 / FRAME_SECONDS)
    with suppress(KeyError), rate.drawing():
        raise KeyError  # a script run ends by an exception where a press waits
    assert rate.seconds == FRAME_SECONDS


def test_a_page_counts_as_long_as_it_draws(service: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live_answer._frame([]) == FRAME_SECONDS
    seen: list[float] = []
    show = live_answer.LiveAnswer.show

    def shown(one: live_answer.LiveAnswer) -> None:
        seen.append(RATE._pages)
        show(one)

    monkeypatch.setattr(live_answer.LiveAnswer, "show", shown)
    ask(new_tab(), "Hello", "slow-50")
    assert seen and set(seen) == {1} and RATE._pages == 0

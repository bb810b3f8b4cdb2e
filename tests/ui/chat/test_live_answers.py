"""When the answers of a page are drawn while they are written."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from lib.ui.chat.live_answer import LONGEST_FRAME_SECONDS, LiveAnswers

LEAST = 0.06


def one(tail: int = 0) -> Any:
    """An answer that has not begun."""
    answer = SimpleNamespace(finished=False, reply=SimpleNamespace(empty=True))
    return SimpleNamespace(answer=answer, tail=tail, late=False, show=lambda: None)


@pytest.mark.row("C2")
def test_a_first_word_and_an_end_are_drawn_at_once_and_all_else_in_its_time() -> None:
    first, second = one(), one()
    answers = LiveAnswers([first, second])
    answers.draw()
    now = time.monotonic()
    assert not answers.due(now, LEAST) and answers.due(now + LEAST, LEAST) and not answers.due(now + LEAST, 2 * LEAST)
    for news, name, value in ((first.answer.reply, "empty", False), (first.answer, "finished", True)):
        setattr(news, name, value)
        assert answers.due(now, LEAST) and not answers.over
        answers.draw()
        assert not answers.due(now, LEAST)
    second.answer.finished = True
    assert not answers.over, "the last words are not drawn yet"
    answers.draw()
    assert answers.over


def test_long_paragraphs_are_sent_again_less_often_up_to_a_bound() -> None:
    for characters, seconds in ((450, 0.06), (2_000, 0.35), (5_000, 1.25), (50_000, LONGEST_FRAME_SECONDS)):
        answers = LiveAnswers([one(tail=characters)])
        answers.draw()
        now = time.monotonic()
        assert not answers.due(now + 0.9 * seconds, LEAST) and answers.due(now + 1.1 * seconds, LEAST)


def test_where_a_question_is_due_the_page_runs_anew() -> None:
    late = one()
    answers = LiveAnswers([one(), late])
    assert not answers.over
    late.late = True
    assert answers.over


def test_what_fails_to_be_drawn_comes_to_its_end_all_the_same() -> None:
    broken = one()
    broken.show = lambda: 1 / 0
    answers = LiveAnswers([broken])
    broken.answer.finished = True
    with pytest.raises(ZeroDivisionError):
        answers.draw()
    assert answers.over

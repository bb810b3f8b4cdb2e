"""How different answers are: in the order in which a person would put them, in both languages."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.sweep.diversity import differences

TEXTS = st.lists(st.text(), min_size=2, max_size=5)

FROM_LIKE_TO_UNLIKE = {
    "English": (
        "Keeps your tea hot for twelve hours, wherever the day takes you.",
        "Keeps your tea hot for twelve hours, wherever the day takes you!",
        "Keeps your coffee hot for twelve hours, wherever the day takes you.",
        "Keeps your coffee warm for a whole day, wherever the road takes you.",
        "Your tea stays warm from the first cup at dawn to the last one at night.",
        "Steel outside, steam inside: pour, sip, and let winter pass by.",
    ),
    "Chinese": (
        "热茶保温十二小时，一天去哪里都带着它。",
        "热茶保温十二小时，一天去哪里都带着它！",
        "咖啡保温十二小时，一天去哪里都带着它。",
        "咖啡保温整整一天，去哪里都带着它。",
        "从清晨第一杯到夜里最后一杯，热茶一直暖着。",
        "外面是钢，里面是雾：倒一杯，慢慢喝，让冬天过去。",
    ),
    "French": (
        "Le thé reste chaud douze heures.",
        "Le thé reste brûlant douze heures.",
        "Douze heures plus tard, le thé fume encore.",
        "Acier dehors, vapeur dedans.",
    ),
}


def variety(texts: Sequence[str]) -> float | None:
    found = differences(texts)
    return fmean(found) if found else None


@pytest.mark.row("S21")
def test_texts_stand_in_the_order_in_which_a_person_would_put_them(subtests: pytest.Subtests) -> None:
    for language, (first, *others) in FROM_LIKE_TO_UNLIKE.items():
        distances = [variety([first, other]) for other in others]
        for (near, far), (one, other) in zip(pairwise(distances), pairwise(others), strict=True):
            with subtests.test(language=language, nearer=one, farther=other):
                assert near is not None and far is not None and near < far
        assert distances[-1] is not None and distances[-1] > 0.7, "other words altogether"


def test_one_word_changed_is_as_little_in_chinese_as_in_english() -> None:
    english = variety(["The tea is hot today", "The coffee is hot today"])
    chinese = variety(["今天 的 茶 很 烫", "今天 的 咖啡 很 烫"])
    unspaced = variety(["今天的茶很烫", "今天的咖啡很烫"])

    assert english == chinese == unspaced == 0.2, "one word of five is another"


def test_it_is_0_for_equal_answers_and_1_for_answers_that_share_no_word() -> None:
    assert variety(["one two", "one two", "one two"]) == 0
    assert variety(["one two", "three four"]) == 1
    assert variety(["one two three four", "one two five six"]) == 0.5
    assert variety(["two one", "one two"]) == 0.5, "the order counts"
    assert variety(["the the the", "the"]) == 0.5, "and so do words that come again"
    assert variety(["alone", ""]) is None


@given(TEXTS)
def test_it_is_a_share_and_no_order_of_the_answers_changes_it(texts: list[str]) -> None:
    measured = variety(texts)

    assert measured == pytest.approx(variety(texts[::-1]))
    assert measured is None or 0 <= measured <= 1


def test_an_answer_of_200_000_signs_is_measured_as_far_as_it_is_read() -> None:
    assert variety(["茶" * 200_000, "茶" * 200_000, "x " * 100_000]) is not None

"""Texts are cut into words, and nothing of them is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.segmentation import Length, beginning, length, segments, word_count, words


@given(st.text(st.characters(exclude_categories=())))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(segments(text)) == text
    assert word_count(text) <= len(segments(text))


@given(st.text(st.one_of(st.sampled_from("ab_1'’ .,\n\u0301é¼"), st.characters(max_codepoint=0x2FFF))))
def test_words_are_counted_as_they_are_cut(text: str) -> None:
    assert word_count(text) == sum(any(sign.isalnum() for sign in piece) for piece in segments(text))


def test_a_text_is_as_long_as_those_who_read_it_count(subtests: pytest.Subtests) -> None:
    for text, count, unit in (
        ("热茶保温杯，好！\n", 8, "characters"),
        ("熱いお茶", 4, "characters"),
        ("iPhone 保温杯套装，现在买一送一。", 20, "characters"),
        ("Hot tea, all day.", 4, "words"),
        ("The Chinese for tea is 茶.", 6, "words"),
        ("뜨거운 차", 2, "words"),
        ("", 0, "words"),
    ):
        with subtests.test(text=text):
            assert length(text) == Length(count, unit)  # type: ignore[arg-type]


@given(
    st.lists(st.sampled_from(["a", "e\u0301", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "👍🏽", "字", " "])),
    st.integers(0, 40),
)
def test_no_sign_is_cut_in_two(signs: list[str], most: int) -> None:
    begun = beginning("".join(signs), most)
    whole = next(number for number in range(len(signs) + 1) if "".join(signs[:number]) == begun)

    assert len(begun) <= most
    assert whole == len(signs) or len(begun) + len(signs[whole]) > most


def test_words_are_those_of_the_language(subtests: pytest.Subtests) -> None:
    for text, expected in [
        ("I don't love naïve tea.", ["i", "don't", "love", "naïve", "tea"]),
        ("我爱北京天安门。", ["我", "爱", "北京", "天安门"]),
        ("保温杯 keeps 热茶 hot 12 小时", ["保温杯", "keeps", "热茶", "hot", "12", "小时"]),
        ("お茶", ["お", "茶"]),
        ("😀 👨‍👩‍👧!", ["😀", "👨‍👩‍👧", "!"]),
        (" \n", []),
    ]:
        with subtests.test(text=text):
            assert words(text) == expected

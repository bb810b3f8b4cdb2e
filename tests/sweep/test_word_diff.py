"""The words in which one text differs from another, as a browser counts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.core.rich_text import text_of_html, to_html
from lib.core.segmentation import segments
from lib.sweep.word_diff import different


def tinted(before: str, after: str) -> list[str]:
    """The texts of the spans."""
    units = after.encode("utf-16-le")
    return [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in different(before, after)]


@pytest.mark.row("S18", "S22")
def test_the_words_that_are_new_are_found(subtests: pytest.Subtests) -> None:
    for before, after, expected in [
        ("Tea is warm.", "Tea is warm.", []),
        ("Tea is warm.", "Tea is  warm.", []),
        ("Tea is warm.", "Tea was warm.", ["was"]),
        ("Tea is warm.", "Tea is very, very warm.", ["very, very"]),
        ("Tea is warm and good.", "Tea is good.", []),
        ("", "All new.", ["All new."]),
        ("今天的天气很好。", "今天的心情很好。", ["心情"]),
        ("保温杯 keeps tea hot", "保温杯 keeps coffee hot", ["coffee"]),
        ("😀 old", "😀 new 👨‍👩‍👧", ["new 👨‍👩‍👧"]),
    ]:
        with subtests.test(after=after):
            assert tinted(before, after) == expected


@example("0:", "0")
@given(st.text(st.characters(exclude_categories=("Cs",))), st.text(st.characters(exclude_categories=("Cs",))))
def test_spans_lie_in_the_text_in_order_and_hold_all_that_is_new(before: str, after: str) -> None:
    spans = different(before, after)
    ends = [place for span in spans for place in span]
    assert ends == sorted(ends) and all(begin < end for begin, end in spans)
    assert not ends or ends[-1] <= len(after.encode("utf-16-le")) // 2
    assert bool(spans) or words(after) <= words(before)


def words(text: str) -> set[str]:
    return {piece for piece in segments(text) if not piece.isspace()}


def test_the_text_of_html_is_what_a_browser_has(subtests: pytest.Subtests) -> None:
    for markdown, expected in [
        ("Hello **you** & `me`", "Hello you & me"),
        ("```\n\nfirst\n```", "\nfirst\n"),
        ("- a\n- b", "\na\nb\n"),
        ("<script>", "<script>"),
    ]:
        with subtests.test(markdown=markdown):
            assert text_of_html(to_html(markdown)).replace("\n", "") == expected.replace("\n", "")

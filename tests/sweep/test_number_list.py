"""Numbers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InvalidInput
from lib.sweep.number_list import MOST, numbers


def test_lists_and_ranges_are_read_and_come_in_ascending_order(subtests: pytest.Subtests) -> None:
    for text, wanted in [
        ("", ()),
        ("1, 0.5 0.5; 2", (0.5, 1, 2)),
        ("0-1 step 0.25", (0, 0.25, 0.5, 0.75, 1)),
        ("0 to 0.3", (0, 0.1, 0.2, 0.3)),
        ("1 to 0 step .5", (0, 0.5, 1)),
        ("0..1/0.4", (0, 0.4, 0.8)),
        ("0 到 1 步长 0.5，2", (0, 0.5, 1, 2)),
        ("0.3、0.7", (0.3, 0.7)),
        ("-2 to 2 step 2", (-2, 0, 2)),
        ("1.", (1,)),
    ]:
        with subtests.test(text):
            assert numbers(text) == wanted


def test_what_is_no_number_is_named(subtests: pytest.Subtests) -> None:
    for text, sentence in [
        ("0.5, warm", "“warm” can't be read."),
        ("1x", "“1x” can't be read."),
        ("0 to 1 step 0", "A range needs a step above 0."),
        ("0 to 9999999 step 0.0001", f"That makes more than {MOST} values."),
        (" ".join(map(str, range(101))), f"That makes more than {MOST} values."),
    ]:
        with subtests.test(text[:30]), pytest.raises(InvalidInput) as refused:
            numbers(text)
        assert sentence in refused.value.sentence()


@given(st.text(alphabet="0123456789.,-~ to/step步长到x\n"))
def test_any_text_is_ascending_numbers_or_a_sentence(text: str) -> None:
    try:
        found = numbers(text)
    except InvalidInput as refused:
        assert refused.sentence()
    else:
        assert list(found) == sorted(set(found)) and len(found) <= MOST


@given(st.lists(st.decimals(0, 2, places=2), min_size=1, max_size=20))
def test_numbers_one_by_one_are_those_numbers(wanted: list[float]) -> None:
    assert list(numbers(", ".join(map(str, wanted)))) == sorted({float(number) for number in wanted})

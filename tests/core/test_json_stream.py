"""A text is taken apart in the same way however it comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core import json_stream
from lib.core.json_outline import TooMuch
from lib.core.json_stream import Piece, pieces

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just('"\\'),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4)


class Chunks:
    """A text that comes a few bytes at a time."""

    def __init__(self, text: bytes, most: int) -> None:
        self.text, self.most = text, most

    def read(self, size: int) -> bytes:
        chunk, self.text = self.text[: self.most], self.text[self.most :]
        return chunk


def taken(value: Any, most: int, ascii_only: bool) -> list[Piece]:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    return list(pieces(Chunks(text, most), ["messages"]))


def values(found: list[Piece]) -> list[Any]:
    return [json.loads(piece.text) for piece in found if piece.text and not piece.rest]


@given(OBJECTS, st.integers(1, 40), st.booleans())
def test_the_pieces_of_a_list_are_its_objects(objects: list[Any], most: int, ascii_only: bool) -> None:
    found = taken([1, *objects, "x"], most, ascii_only)

    assert values(found) == objects
    assert json.loads(found[-1].text or b"") == [1, *([0] * len(objects)), "x"]


@given(OBJECTS, VALUES, st.integers(1, 40))
def test_the_pieces_of_an_object_are_those_of_its_named_lists(objects: list[Any], other: Any, most: int) -> None:
    found = taken({"other": other, "messages": objects, "more": [{"messages": objects}]}, most, False)

    assert values(found) == objects
    assert {piece.key for piece in found[:-1]} <= {"messages"}
    assert json.loads(found[-1].text or b"") == {
        "other": other,
        "messages": [0] * len(objects),
        "more": [{"messages": objects}],
    }


def test_a_text_that_is_cut_gives_what_stands_before_the_cut() -> None:
    text = b'[{"a": 1}, {"b": "2]}"}'
    for end in range(len(text)):
        found = list(pieces(Chunks(text[:end], 5), []))

        assert values(found) == [{"a": 1}, {"b": "2]}"}][: len(found) - 1]
        assert end == 0 or found[-1].text is None


@pytest.mark.row("T23")
def test_what_is_too_large_is_left_out_or_refused(monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    monkeypatch.setattr(json_stream, "MOST_BYTES", 100)
    monkeypatch.setattr(json_stream, "MOST_MARKS", 20)
    monkeypatch.setattr(json_stream, "MOST_PIECES", 5)
    monkeypatch.setattr(json_stream, "MOST_MARKS_IN_ALL", 1000)
    small = {"a": 1}
    for large in ({"a": "x" * 150}, {"a": [[]] * 12}):
        with subtests.test(large=large):
            found = taken([small, large, small], 30, False)
            assert [piece.text is None for piece in found] == [False, True, False, False]
    for refused in ([small] * 8, ["x" * 300], [0] * 30, {"a": "x" * 300}, [{"a": "x" * 300}], [{"a": [1] * 1100}]):
        with subtests.test(refused=str(refused)[:20]), pytest.raises(TooMuch):
            taken(refused, 30, False)

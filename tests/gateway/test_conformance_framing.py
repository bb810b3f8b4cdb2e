"""Framing at its limits: any bytes, tiny chunks, huge events, endless streams; time and memory stay bounded."""

import contextlib
import json
import re
import time
import tracemalloc
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import errors
from lib.core.reply import Reply
from lib.gateway import sse
from lib.gateway.answer_stream import AnswerReader
from lib.gateway.response_info import ResponseInfo
from lib.gateway.sse import EventReader
from tests.case_files import cases
from tests.examples import examples

CASES = cases("events")
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
MIB = 1024 * 1024


def events(*chunks: bytes) -> list[tuple[str, str]]:
    reader = EventReader()
    found = [event for chunk in chunks for event in reader.feed(chunk)]
    return [(event.name, event.data) for event in found + reader.close()]


def answered(*chunks: bytes) -> Reply:
    reader, reply = AnswerReader(ResponseInfo()), Reply()
    for chunk in chunks:
        for delta in reader.feed(chunk):
            reply.add(delta)
    for delta in reader.close():
        reply.add(delta)
    reader.verify()
    return reply


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_all_public_suites_are_there() -> None:
    suites = Counter(case["source"].partition(" ")[0] for case in CASES)

    assert len(CASES) >= 170 and len({case["name"] for case in CASES}) == len(CASES)
    for suite in ("openai-python", "httpx-sse", "eventsource-parser", "web-platform-tests", "WHATWG", "chat"):
        assert suites[suite] >= 7, suite


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=examples(200), deadline=None)
def test_any_bytes_are_framed_the_same_wherever_they_are_cut(data: bytes, cuts: list[int]) -> None:
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[start:end] for start, end in pairwise(at)]

    assert events(*parts) == events(data)


@given(st.lists(st.sampled_from([b"data:", b" ", b"{}", b"\n", b"\r", b"[DONE]", b"id:", b":", b"\xef\xbb\xbf", b"x"])))
@settings(max_examples=examples(300), deadline=None)
def test_fields_in_any_order_are_framed_the_same_byte_by_byte(parts: list[bytes]) -> None:
    whole = b"".join(parts)

    assert events(*pieces(whole, 1)) == events(whole)


def by_the_standard(data: bytes) -> list[tuple[str, str]]:
    """WHATWG HTML 9.2.6, written down as it stands there: the whole stream at once, no leniency."""
    found, name, lines = [], "", []
    for line in re.split("\r\n|\r|\n", data.decode("utf-8", "replace").removeprefix("\ufeff"))[:-1]:
        field, _, value = line.partition(":")
        if not line:
            found += [(name or "message", "\n".join(lines))] if lines else []
            name, lines = "", []
        elif field == "data":
            lines.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    return found


FIELDS = [
    *(b"data", b"data:", b"data: ", b"Data:", b"event:", b"event: ", b"id:", b"retry: 1", b":", b" ", b"1", b"null"),
    *(b'"a"', b"[1]", b"true", b"x", b"\x00", b"\xff", b"\xe2\x82", b"\xe2\x82\xac", b"\xef\xbb\xbf", b"\xc2\x85"),
]
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b'data: {"a":1}\n\n', b"event: e\ndata: {\ndata: }\n\n", b'{"a":1}\n']


@given(st.lists(st.sampled_from(FIELDS + 2 * ENDS), max_size=14))
@settings(max_examples=examples(400), deadline=None)
def test_without_the_forms_that_gateways_get_wrong_events_are_those_of_the_standard(parts: list[bytes]) -> None:
    # A line's end before each whole event, as one that was begun would take it in.
    whole = b"".join(part if len(part) < 7 else b"\n\n" + part for part in parts)

    assert events(whole) == by_the_standard(whole)


@given(st.lists(st.sampled_from([PIECE, END, b": PING\n\n", b"data: {\n\n", b'data: {"error":"x"}\n\n', b"\xff"])))
@settings(max_examples=examples(100), deadline=None)
def test_what_came_before_an_error_does_not_depend_on_the_chunks(parts: list[bytes]) -> None:
    def shown(*chunks: bytes) -> tuple[str, str]:
        reader, text = AnswerReader(ResponseInfo()), []
        try:
            for chunk in chunks:
                text += [delta.text for delta in reader.feed(chunk)]
            text += [delta.text for delta in reader.close()]
            reader.verify()
        except errors.TemperaError as error:
            return "".join(text), error.kind
        return "".join(text), ""

    whole = b"".join(parts)
    assert shown(*pieces(whole, 1))[1] == shown(whole)[1]


def seconds(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def test_a_hundred_thousand_tiny_chunks_take_linear_time() -> None:
    stream = PIECE * 10_000 + END
    tenth = seconds(lambda: answered(*pieces(PIECE * 1_000 + END, 6)))
    whole = seconds(lambda: answered(*pieces(stream, 6)))

    assert len(pieces(stream, 6)) > 100_000
    assert whole < 30 * max(tenth, 0.02)


@pytest.mark.parametrize("size", [64 * 1024, 4093])
def test_an_event_of_five_megabytes_comes_through(size: int) -> None:
    text = "x" * (5 * 1000 * 1000) + "известни\u2028"
    data = b"data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}).encode()

    assert answered(*pieces(data + b"\n\n", size)).choices[0].text == text


@pytest.mark.row("T21")
@pytest.mark.parametrize(
    "bomb",
    [
        b"x" * MIB,
        b"data: " + b"y" * MIB,
        (b"data: " + b"x" * 57 + b"\n") * (MIB // 64),
        b": " + b"z" * MIB,
        b"event: " + b"n" * MIB,
    ],
    ids=["line", "data", "data lines", "comment", "name"],
)
def test_memory_stays_bounded_whatever_never_ends(bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = sse.LIMIT // 8
    monkeypatch.setattr(sse, "LIMIT", limit)
    tracemalloc.start()
    reader = EventReader()
    try:
        with contextlib.suppress(errors.Malformed):
            for _ in range(64):
                reader.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 12 * limit
    finally:
        tracemalloc.stop()


@pytest.mark.row("T21")
def test_a_stream_that_never_ends_leaves_nothing_behind_in_the_reader() -> None:
    reader = AnswerReader(ResponseInfo())
    chunk = PIECE.replace(b"word ", b"") * 200 + b": PING\n\n" * 200
    for _ in range(20):
        list(reader.feed(chunk))
    tracemalloc.start()
    try:
        for _ in range(50):
            list(reader.feed(chunk))
        assert tracemalloc.get_traced_memory()[0] < 25 * len(chunk)
    finally:
        tracemalloc.stop()


@pytest.mark.row("T21")
def test_an_answer_of_endless_words_ends_in_an_error() -> None:
    reader = AnswerReader(ResponseInfo())
    chunk = PIECE.replace(b"word ", b"w" * MIB)
    with pytest.raises(errors.Malformed):
        for _ in range(20):
            list(reader.feed(chunk))

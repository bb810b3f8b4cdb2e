"""Bytes of an answer -> events -> deltas: the standard's cases, the gateways' dialects, and any bytes at all."""

import contextlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.core import errors
from lib.core.reply import Reply, Usage
from lib.gateway import sse
from lib.gateway.answer_parts import MOST_CHARACTERS, MOST_PARTS
from lib.gateway.answer_stream import AnswerReader
from lib.gateway.response_info import ResponseInfo
from lib.gateway.sse import Event, EventReader
from lib.gateway.thinking import Thinking
from lib.gateway.usage_report import reports_in, usage_of
from tests.answer_shapes import SHAPES, Shape, message
from tests.case_files import cases
from tests.examples import examples
from tests.memory import growths

CASES = cases("events")


def raw(text: str) -> bytes:
    """The bytes of a case; single bytes that are no UTF-8 stand in it as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


def events(*chunks: bytes) -> list[tuple[str, str]]:
    reader = EventReader()
    found = [event for chunk in chunks for event in reader.feed(chunk)]
    return [(event.name, event.data) for event in found + reader.close()]


def chunk(*choices: dict[str, Any], **more: Any) -> bytes:
    return b"data: " + json.dumps({"model": "m", "choices": choices, **more}).encode() + b"\n\n"


def choice_with(content: Any = None, index: int = 0, finish: Any = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": {"content": content, **delta}, "finish_reason": finish}


def answer(*chunks: bytes, n: int = 1) -> Reply:
    """The whole answer in `chunks`; raises what is wrong with it."""
    reader, reply = AnswerReader(ResponseInfo(), n), Reply()
    for one in chunks:
        for delta in reader.feed(one):
            reply.add(delta)
    for delta in reader.close():
        reply.add(delta)
    reader.verify()
    return reply


END = chunk(choice_with(finish="stop")) + b"data: [DONE]\n\n"


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)], ids=["some", "all"])
def test_events_are_framed_as_the_standard_says_wherever_the_chunks_are_cut(
    subtests: pytest.Subtests, every: int
) -> None:
    """In the case's own chunks, byte by byte, in two parts cut at every place, and in parts of one size."""
    for number, case in enumerate(CASES):
        with subtests.test(case["name"]):
            expected = [tuple(event) for event in case["expected"]]
            own = list(map(raw, case["chunks"]))
            whole = b"".join(own)
            in_two = [(whole[:at], whole[at:]) for at in range(number % every, min(len(whole), 300), every)]
            of_a_size = [[whole[at : at + size] for at in range(0, len(whole), size)] for size in (1, 2, 3, 5, 7, 97)]

            assert [cut for cut in [own, *in_two, *of_a_size] if events(*cut) != expected] == []


def pieces_of(shape: Shape, words: str) -> bytes:
    """Deltas with a piece of `words` each. JSON writes an emoji in two halves, which come apart."""
    halves = words.encode("utf-16-le")
    units = [halves[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(halves), 2)]
    return b"".join(chunk({"index": 0, "delta": shape(unit), "finish_reason": None}) for unit in units)


def whole(said: dict[str, Any]) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}).encode()


@given(said=st.text("ab 中é😀<$", min_size=2, max_size=6), thought=st.text("hm 想😀", min_size=1, max_size=5))
@settings(max_examples=examples(8))
@example(said="Yes 😀", thought="hm 😀")
def test_what_was_sent_is_what_is_kept_in_every_shape_and_cut_at_every_byte(said: str, thought: str) -> None:
    for name, thoughts, texts in SHAPES:
        stream = pieces_of(thoughts, thought) + pieces_of(texts, said) + END
        for body in (stream, whole(message(thoughts(thought), texts(said)))):
            for chunks in ([body], [body[at : at + 1] for at in range(len(body))]):
                choice = answer(*chunks).choices[0]
                assert (choice.text, choice.reasoning) == (said, thought), (name, body)


def test_several_values_in_one_line_count_each(subtests: pytest.Subtests) -> None:
    first, last = (
        json.dumps({"choices": [choice_with(word, finish=end)]}) for word, end in (("a", None), ("b", "stop"))
    )
    for line in (
        f"{first}{last}",
        f"{first} {last}[DONE]",
        f"{first},{last},",
        f"{first}data: {last}",
        f"data: {first}{last}",
    ):
        with subtests.test(line=line):
            assert answer(f"data: {line}\n\n".encode()).choices[0].text == "ab"
    assert answer(chunk(choice_with("a")), f"data: {last}[DONE]\n\n".encode()).choices[0].text == "ab"
    with pytest.raises(errors.Malformed):
        answer(f"data: {first}{last}and more\n\n".encode(), b"data: [DONE]\n\n")


def test_done_is_found_in_all_its_spellings(subtests: pytest.Subtests) -> None:
    for stream in [
        b'data: {"a":1}\n\ndata: [DONE]',
        b'data: {"a":1}\n\ndata:[DONE]\n',
        b'data: {"a":1}\n\n[DONE]\n\n',
        b'data: {"a":1}\n\n[DONE]',
        b'data: {"a":1}\ndata: [DONE]\n',
        b'data: {"a":1}\n[DONE]\n',
        b'data:{"a":1}\r\ndata:[DONE]\r\n\r\n',
    ]:
        with subtests.test(stream=stream):
            assert events(stream) == [("message", '{"a":1}'), ("message", "[DONE]")]


def test_events_with_a_line_end_between_them_come_one_by_one_as_they_arrive() -> None:
    reader = EventReader()
    reader.feed(b'data: {"a":1}\n')

    assert reader.feed(b'data: {"a":2}\n') == [Event("message", '{"a":1}')]
    assert reader.feed(b"data: [DONE]\n") == [Event("message", '{"a":2}'), Event("message", "[DONE]")]


def test_an_event_without_its_blank_line_counts_at_the_end_when_it_is_whole() -> None:
    assert events(b'data: {"a":1}') == [("message", '{"a":1}')]
    assert events(b'data: {"a":') == []


@given(st.lists(st.binary(max_size=40), max_size=8))
@settings(max_examples=examples(150), deadline=None)
def test_any_bytes_give_an_answer_or_an_error_of_ours(chunks: list[bytes]) -> None:
    with contextlib.suppress(errors.TemperaError):
        answer(*chunks)


NAMES = [
    *("choices", "delta", "content", "usage", "error", "index", "message", "finish_reason", "type", "text", "x_groq"),
    *("tool_calls", "function_call", "function", "name", "arguments", "id", "images", "image_url", "url", "audio"),
    *("data", "transcript", "refusal", "annotations", "url_citation", "citations", "reasoning_details", "cost"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_any_json_gives_an_answer_or_an_error_of_ours(values: list[Any], stream: bool) -> None:
    parts = [json.dumps(value).encode() for value in values]
    with contextlib.suppress(errors.TemperaError):
        answer(*(b"data: " + part + b"\n\n" for part in parts)) if stream else answer(*parts[:1])


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_an_answer_does_not_depend_on_where_the_chunks_are_cut(data: st.DataObject) -> None:
    text = chunk(choice_with("<think>\nhm"), choice_with("你好 👩‍👩‍👧 ", index=1)) + chunk(
        choice_with("m\n</think>\n\nYes"), choice_with("b", index=1)
    )
    whole = (
        b"\xef\xbb\xbf"
        + text
        + chunk(choice_with(finish="stop"), choice_with(finish="length", index=1))
        + b"data: [DONE]\n\n"
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    reply = answer(*pieces, n=2)

    assert [(one.text, one.reasoning, one.finish_reason) for one in reply.choices] == [
        ("Yes", "hmm", "stop"),
        ("你好 👩‍👩‍👧 b", "", "length"),
    ]


def apart(pieces: Iterable[str]) -> tuple[str, str]:
    """Text and reasoning of an answer that comes in `pieces`."""
    thinking, text, thoughts = Thinking(), "", ""
    for piece in pieces:
        more, thought = thinking.split(piece)
        if thinking.all_was_thought:
            text, thoughts = "", thoughts + text
        text, thoughts = text + more, thoughts + thought
    more, thought = thinking.flush()
    return text + more, thoughts + thought


MARKS = ["<think>", "</think>", "[THINK]", "[/THINK]", "<", "th", "ink>", "</", "\n", "a", " ", "`", "```\n"]


@given(st.lists(st.sampled_from(MARKS), max_size=14))
@example(["<think>", "\n", "<think>"])
@example(["a", "<think>", "a"])
@settings(max_examples=examples(500), deadline=None)
def test_splitting_off_thoughts_loses_nothing_wherever_the_text_is_cut(parts: list[str]) -> None:
    whole = "".join(parts)
    text, thoughts = apart([whole])

    assert apart(whole) == apart(parts) == (text, thoughts)
    assert (text + thoughts).count("a") == whole.count("a")
    if not any(tag in whole for tag in ("<think>", "</think>", "[THINK]", "[/THINK]")):
        assert (text, thoughts) == (whole, "")


def test_thoughts_are_told_from_the_answer_however_they_are_marked(subtests: pytest.Subtests) -> None:
    for whole, expected in [
        ("<think>\nhm\n</think>\n\nYes", ("Yes", "hm")),
        ("hm well\n</think>\n\nYes", ("Yes", "hm well\n")),
        ("hm</think>Yes", ("Yes", "hm")),
        ("<thought>hm</thought>Yes", ("Yes", "hm")),
        ("[THINK]hm[/THINK]Yes", ("Yes", "hm")),
        ("◁think▷hm◁/think▷Yes", ("Yes", "hm")),
        ("###Thinking\nhm\n###Response\nYes", ("Yes", "hm")),
        ("<|channel|>analysis<|message|>hm<|start|>assistant<|channel|>final<|message|>Yes", ("Yes", "hm")),
        ("<think>hm</think>Yes\n<think>ho</think>No", ("Yes\nNo", "hm\n\nho")),
        ("<think>hm</think>\n<think>ho</think>No", ("No", "hm\n\nho")),
        ("Well. <think>hm</think>Yes", ("Well. Yes", "hm")),
        ("Well.\n<think>hm", ("Well.\n", "hm")),
        # What speaks of the tags keeps them.
        ("The `<think>` tag ends with `</think>`.", None),
        ("```\n<think>\n</think>\n```", None),
        ("Some write <think> and never end it.", None),
        ("<think>hm</think>It ends with </think> here.", ("It ends with </think> here.", "hm")),
        ("## ###Thinking\nof it", None),
    ]:
        with subtests.test(whole=whole):
            assert apart([whole]) == apart(whole) == (expected or (whole, ""))


def test_a_tag_that_never_ends_holds_no_more_than_a_few_pages_back() -> None:
    thinking = Thinking()
    thinking.split("Well, <think>")
    told = sum(len(thought) for _, thought in (thinking.split("hm " * 1_000) for _ in range(100)))

    assert told > 200_000


def test_text_is_found_wherever_it_stands(subtests: pytest.Subtests) -> None:
    for content, expected in [
        ([choice_with("Hi")], "Hi"),
        ([choice_with([{"type": "text", "text": "H"}, {"type": "text", "text": "i"}])], "Hi"),
        ([{"delta": {"content": "Hi"}}], "Hi"),
        ([{"index": "0", "message": {"content": "Hi"}}], "Hi"),
        ([choice_with("H"), {"index": 0, "delta": None}, choice_with("i")], "Hi"),
        ([choice_with(refusal="No.")], "No."),
        ([choice_with("a\ud83d")], "a�"),
    ]:
        with subtests.test(content=content):
            assert answer(chunk(*content), END).choices[0].text == expected


def test_reasoning_counts_once_under_any_name(subtests: pytest.Subtests) -> None:
    for delta in [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": "<think>\nhm\n</think>\n"},
    ]:
        with subtests.test(delta=delta):
            choice = answer(chunk({"delta": delta}), chunk(choice_with("Yes")), END).choices[0]

            assert (choice.reasoning, choice.text) == ("hm", "Yes")


def test_an_emoji_that_is_cut_in_two_is_whole_wherever_the_text_stands(subtests: pytest.Subtests) -> None:
    for holder in [
        lambda text: {"content": text},
        lambda text: {"content": [{"type": "text", "text": text}]},
        lambda text: {"text": text},
        lambda text: {"refusal": text},
        lambda text: {"content": [{"type": "refusal", "refusal": text}]},
        lambda text: {"audio": {"transcript": text}},
        *[
            lambda text, name=name: {name: text, "content": ""}
            for name in ("reasoning_content", "reasoning", "thinking")
        ],
        lambda text: {"reasoning_details": [{"type": "reasoning.text", "text": text}]},
        lambda text: {"content": [{"type": "thinking", "thinking": text}]},
    ]:
        with subtests.test(holder=holder("a")):
            for pieces, expected in [(["a\ud83d", "\ude00b"], "a😀b"), (["a\ud83d", "b"], "a\ufffdb")]:
                told = [chunk({"delta": holder(piece)}) for piece in [*pieces, "c\ud83d"]]
                choice = answer(*told, chunk(choice_with("Yes")), END).choices[0]

                assert choice.reasoning + choice.text == f"{expected}c\ufffdYes"

    calls = [
        chunk(choice_with(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": piece}}]))
        for piece in ('"a\ud83d', '\ude00b"')
    ]
    assert answer(*calls, END).choices[0].parts[0]["arguments"] == '"a😀b"'


def test_finish_reasons_are_spelled_one_way(subtests: pytest.Subtests) -> None:
    for spelling, expected in [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("completed", "stop"),
        ("tool_calls", "tool_calls"),
    ]:
        with subtests.test(spelling=spelling):
            assert answer(chunk(choice_with("x", finish=spelling))).choices[0].finish_reason == expected


def test_an_empty_finish_reason_is_none_and_the_stream_counts_as_cut(subtests: pytest.Subtests) -> None:
    for nothing in [None, "", "null", 7]:
        with subtests.test(nothing=nothing), pytest.raises(errors.CutOff):
            answer(chunk(choice_with("x", finish=nothing)), b"data: [DONE]\n\n")


def test_choices_may_come_interleaved_and_out_of_order() -> None:
    reply = answer(
        chunk(choice_with("b", 1)),
        chunk(choice_with("a", 0), choice_with("b", 1)),
        chunk(choice_with("", 1, "stop"), choice_with("", 0, "stop")),
    )

    assert [choice.text for choice in reply.choices] == ["a", "bb"]


def test_parts_are_bounded_in_number_and_size() -> None:
    many = [
        {"type": "image_url", "image_url": {"url": f"https://img.example/{at}.png"}} for at in range(MOST_PARTS + 9)
    ]
    assert len(answer(chunk(choice_with("x", images=many)), END).choices[0].parts) == MOST_PARTS

    large = "data:image/png;base64," + "A" * (MOST_CHARACTERS // 2)
    three = [{"image_url": {"url": f"{large}{at}"}} for at in range(3)]
    reply = answer(*(chunk(choice_with("x", images=[one])) for one in three), END)
    assert len(reply.choices[0].parts) == 1 and reply.choices[0].text == "xxx"

    calls = [
        {"index": at, "id": f"c{at}", "function": {"name": "f", "arguments": "{}"}} for at in range(MOST_PARTS + 9)
    ]
    assert len(answer(chunk(choice_with(tool_calls=calls)), END).choices[0].parts) == MOST_PARTS


def test_an_absurd_index_is_ignored() -> None:
    assert len(answer(chunk(choice_with("x", 10**9), choice_with("y")), END).choices) == 1


COUNTS = {"prompt_tokens": 33, "completion_tokens": 40}


def test_usage_is_read_from_any_place_and_summed_only_when_it_comes_by_choice(subtests: pytest.Subtests) -> None:
    for frames, n, expected in [
        ([chunk(usage=COUNTS)], 1, (33, 40)),
        ([chunk(usage=COUNTS)] * 3, 3, (33, 120)),
        ([chunk(usage=COUNTS)] * 2, 3, (33, 40)),
        (
            [
                chunk(choice_with(" "), usage=COUNTS),
                chunk(choice_with(" "), usage={**COUNTS, "completion_tokens": 50}),
            ],
            1,
            (33, 50),
        ),
        ([chunk(usage={"input_tokens": "33", "output_tokens": "40"})], 1, (33, 40)),
        ([b"data: %s\n\n" % json.dumps({"x_groq": {"usage": COUNTS}}).encode()], 1, (33, 40)),
        ([chunk(usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})], 1, None),
        ([chunk(usage={"prompt_tokens": 33, "completion_tokens": 0})], 1, None),
        ([chunk(usage=None)], 1, None),
        ([], 1, None),
    ]:
        with subtests.test(frames=frames, n=n):
            usage = answer(
                chunk(*(choice_with("x", index, "stop") for index in range(n))), *frames, b"data: [DONE]\n\n", n=n
            ).usage

            found = (usage.prompt_tokens, usage.completion_tokens) if usage.source == "reported" else None
            assert found == expected


def test_usage_reports_are_checked(subtests: pytest.Subtests) -> None:
    for report, expected in [
        ({"prompt_tokens": 9, "total_tokens": 12}, Usage(9, 3, source="reported")),
        ({**COUNTS, "completion_tokens_details": {"reasoning_tokens": 7}}, Usage(33, 40, 7, source="reported")),
        (
            {**COUNTS, "total_tokens": 80, "completion_tokens_details": {"reasoning_tokens": 7}},
            Usage(33, 47, 7, source="reported"),
        ),
        ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(33, 40, None, 9, "reported")),
        ({**COUNTS, "prompt_cache_hit_tokens": 99}, Usage(33, 40, None, 33, "reported")),
        # A gateway that counts by itself, and says so.
        ({**COUNTS, "usage_source": "Estimated"}, Usage(33, 40, source="gateway")),
        ({**COUNTS, "estimated": True}, Usage(33, 40, source="gateway")),
        (reports_in({"usage": COUNTS, "usage_estimated": True})[0], Usage(33, 40, source="gateway")),
        ({**COUNTS, "usage_source": "anthropic", "estimated": False}, Usage(33, 40, source="reported")),
        ({"prompt_tokens": -1, "completion_tokens": 5}, None),
        ({"prompt_tokens": 1e300, "completion_tokens": 5}, None),
        ({"prompt_tokens": True, "completion_tokens": float("nan")}, None),
        ("33", None),
    ]:
        with subtests.test(report=report):
            assert usage_of(report) == expected


def test_a_json_answer_is_read_where_a_stream_was_asked() -> None:
    body = {
        "model": "m",
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": COUNTS,
    }
    reply = answer(b"\n\n\n", json.dumps(body).encode())

    assert (reply.choices[0].text, reply.usage.completion_tokens, reply.model) == ("Hi", 40, "m")


def test_a_json_answer_of_llama_cpp_with_several_choices_has_no_usable_usage() -> None:
    message = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    body = {"choices": [message, {**message, "index": 1}], "usage": COUNTS, "timings": {}}

    assert answer(json.dumps(body).encode(), n=2).usage.source == "unknown"


def test_what_is_no_whole_answer_is_an_error(subtests: pytest.Subtests) -> None:
    for stream, error in [
        (b"", errors.CutOff),
        (b": PING\n\n", errors.CutOff),
        (chunk(choice_with("x")), errors.CutOff),
        (chunk(choice_with("x")) + b"data: [DONE]\n\n", errors.BrokenOff),
        (chunk(choice_with("x", 0, "stop"), choice_with("y", 1)) + b"data: [DONE]\n\n", errors.BrokenOff),
        (b'{"choices": [{"mess', errors.CutOff),
        (b"data: [DONE]\n\n", errors.Empty),
        (chunk(choice_with(finish="stop")), errors.Empty),
        (chunk(choice_with(finish="length")), errors.Empty),
        (chunk(choice_with("x")) + chunk(usage=COUNTS), errors.CutOff),
        (chunk(choice_with("")) + chunk(usage=COUNTS) + b"data: [DONE]\n\n", errors.BrokenOff),
        (chunk(choice_with(finish="content_filter")), errors.Blocked),
        (b'{"choices": []}', errors.Empty),
        (b"Not found", errors.Malformed),
        (b"data: hello\n\n", errors.Malformed),
        (b"[1, 2]", errors.Malformed),
        (b"[" * 100_000, errors.CutOff),
        (b"<!doctype html><title>Console</title>", errors.WrongAddress),
        (b'{"error": {"message": "Overloaded", "code": 503}}', errors.UpstreamFailed),
        (b'data: {"error": "boom"}\n\n', errors.ApiError),
        (b'event: error\ndata: {"message": "Insufficient Balance"}\n\n', errors.NoBalance),
        (b"event: error\ndata: boom\n\n", errors.ApiError),
        (b'event: exception\ndata: {"message": "Insufficient Balance"}\n\n', errors.NoBalance),
        (b'event: notice\ndata: {"error": "Insufficient Balance"}\n\n' + chunk(choice_with("x")), errors.NoBalance),
        (b'data: {"object": "error", "message": "m", "code": 400}\n\ndata: [DONE]\n\n', errors.BadParameter),
        ('{"success": false, "message": "无权进行此操作"}'.encode(), errors.Forbidden),
        (chunk(choice_with("x", finish="error")), errors.ApiError),
        (chunk(choice_with("x"), error={"code": "server_error", "message": "gone"}), errors.UpstreamFailed),
    ]:
        with subtests.test(stream=stream[:80]):
            with pytest.raises(error) as caught:
                answer(stream)

            assert type(caught.value) is error


def test_what_a_service_remarks_beside_an_answer_is_no_error(subtests: pytest.Subtests) -> None:
    said = chunk(choice_with("yes", finish="stop"))
    for stream in (
        b'event: status\ndata: {"message": "searching the web"}\n\n' + said,
        said + b'event: finish\ndata: {"message": "done", "detail": {"seconds": 2}}\n\n',
        said + b'data: {"msg": "success"}\n\ndata: [DONE]\n\n',
    ):
        with subtests.test(stream=stream):
            assert answer(stream).choices[0].text == "yes"


def test_an_answer_that_spent_its_length_on_reasoning_is_whole() -> None:
    reply = answer(chunk(choice_with(reasoning_content="hm", finish="length")))

    assert (reply.choices[0].reasoning, reply.choices[0].finish_reason) == ("hm", "length")


def test_pings_and_comments_are_no_progress() -> None:
    reader = AnswerReader(ResponseInfo())
    for ping in (b": PING\n\n", b'event: ping\ndata: {"type": "ping"}\n\n', b'data: {"type": "ping"}\n\n'):
        list(reader.feed(ping))

    assert reader.progress == 0
    list(reader.feed(chunk(choice_with("x"))))
    assert reader.progress == 1


@pytest.mark.row("T21")
@pytest.mark.parametrize("bomb", [b"x", b"data: ", b"data: x\n", b":"])
def test_an_endless_line_or_event_ends_in_an_error(bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = sse.LIMIT // 16
    monkeypatch.setattr(sse, "LIMIT", limit)
    piece = limit // 16
    reader = EventReader()
    with pytest.raises(errors.Malformed):
        for _ in range(40):
            reader.feed(bomb * (piece // len(bomb)) if bomb != b"data: " else bomb + b"y" * piece)


@pytest.mark.row("T21")
def test_tiny_chunks_take_linear_time() -> None:
    def seconds(size: int) -> float:
        reader, began = EventReader(), time.process_time()
        for _ in range(size):
            reader.feed(b"x")
        return time.process_time() - began

    seconds(20_000)
    assert seconds(200_000) < 40 * max(seconds(20_000), 0.01)


def test_two_thousand_comments_leave_nothing_behind() -> None:
    assert events(*[b": x\n"] * 2000, b"data:ok\n", b"\n") == [("message", "ok")]


READ = """
from lib.gateway.answer_parts import MOST_CHARACTERS, MOST_PARTS
from lib.gateway.answer_stream import AnswerReader
from lib.gateway.response_info import ResponseInfo

def read(data):
    reader = AnswerReader(ResponseInfo(secret="sk-test-key-0001"))
    deltas = [delta for at in range(0, len(data), 65_536) for delta in reader.feed(data[at : at + 65_536])]
    deltas += reader.close()
    reader.verify()
    assert sum(len(delta.text) for delta in deltas) > 1_000
"""


@pytest.mark.row("T21")
def test_no_event_takes_much_more_memory_than_its_size(tmp_path: Path) -> None:
    """Crafted ones are refused, large ones read; each within 30 MB."""
    size = 2_500_000
    word = {"token": "x", "logprob": -0.1, "bytes": [120]}
    likely = json.dumps({**word, "top_logprobs": [word] * 20})
    choice = '{"choices":[{"delta":{"content":"%s"},"finish_reason":"stop"%s}]}'
    events = {
        "lists": ('{"choices":[' + "[]," * (size // 3) + "[]]}", "Malformed"),
        "objects": (choice % ("hi", ',"x":[' + "{}," * (size // 3) + "{}]"), "Malformed"),
        "error": ('{"error":[' + "[]," * (size // 3) + "[]]}", "Malformed"),
        "floats": ('{"choices":[' + "1.5," * (size // 4) + "1]}", "Malformed"),
        "text": (choice % ("word\\n" * (size // 6), ""), "fine"),
        "emoji": (choice % ("word " * (size // 5) + "\U0001f600", ""), "fine"),
        "likely words": (
            choice % ("x" * 4_000, ',"logprobs":{"content":[' + ",".join([likely] * (size // len(likely))) + "]}"),
            "fine",
        ),
    }  # fmt: skip
    warm = f"data: {choice % ('x' * 2_000, '')}\n\n".encode()
    files = [tmp_path / name for name in events]
    for file, (event, _expected) in zip(files, events.values(), strict=True):
        file.write_bytes(f"data: {event}\n\n".encode())
    for (name, (_event, expected)), (how, megabytes) in zip(
        events.items(), growths(files, READ, "read(data)", warm), strict=True
    ):
        assert (name, how) == (name, expected)
        assert megabytes < 30, name

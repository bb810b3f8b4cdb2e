"""Keys are masked in all that services send and in the log, in whatever form and however cut; all else is exact."""

import asyncio
import json
import logging
import random
import re
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from lib.core.reply import Reply
from lib.gateway.client import Client
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.gateway.key_masking import KNOWN, Forms, KeyMasker, mask_log
from lib.gateway.raw_answers import RawAnswer
from tests.clients import answer, listed, request, using
from tests.examples import examples
from tests.fake_api import FakeApi, Step

KEY = "sk-test-Qm9/jo~r+4Z?8Lw2="
"""With characters that each of the forms treats in its own way."""


def written(key: str) -> dict[str, str]:
    """The key in all forms in which a service may send it."""
    data = key.encode()
    return {
        "plain": key,
        "reversed": key[::-1],
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "url": quote(key, safe=""),
        "url as .NET writes it": re.sub("[/+?=]", lambda found: f"%{ord(found[0]):02x}", key),
        "every character": "".join(f"%{byte:02x}" for byte in data),
        "EVERY CHARACTER": "".join(f"%{byte:02X}" for byte in data),
        **{f"base64 after {n}": b64encode(b"x" * n + data + b"tail").decode() for n in range(4)},
        "base64 of a header": b64encode(f"Bearer {key}".encode()).decode(),
        **{f"url base64 after {n}": urlsafe_b64encode(b"x" * n + data).decode() for n in range(4)},
    }


def pieces(text: str, *cuts: int) -> list[str]:
    ends = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def masked(forms: Forms, parts: list[str]) -> str:
    masker = KeyMasker(forms)
    return "".join([*map(masker.take, parts), masker.flush()])


def leaks(text: str, form: str, length: int = 12) -> bool:
    """Whether a good part of `form` stands in `text`."""
    return any(form[at : at + length] in text for at in range(len(form) - length + 1))


@pytest.mark.row("T2")
def test_what_could_be_a_word_is_left_and_a_key_of_sixteen_characters_is_not() -> None:
    for key, shown in ((KEY[:15], KEY[:15]), (KEY[:16], f"…{KEY[12:16]}")):
        assert masked(Forms([key]), [f"Your key is {key}."]) == f"Your key is {shown}."


@pytest.mark.row("T2")
def test_every_form_is_masked_wherever_it_is_cut() -> None:
    forms = Forms([KEY])
    for name, form in (written(KEY) | {"in JSON, as PHP writes it": KEY.replace("/", "\\/")}).items():
        text = f"Your key is {form}, keep it."
        whole = masked(forms, [text])
        assert "…" in whole and whole.startswith("Your key is ") and whole.endswith(", keep it."), name
        if "base64" not in name:
            assert whole == f"Your key is …{KEY[-4:]}, keep it.", name
        for cut in range(1, len(text)):
            assert masked(forms, pieces(text, cut)) == whole, (name, cut)
        assert masked(forms, list(text)) == whole, name


@given(
    st.lists(st.sampled_from(["ab", "aab", "abab", "b", "c", "abc" * 6, "ab" * 9, "ba" * 9]), max_size=12), st.data()
)
@settings(max_examples=examples(300), deadline=None)
def test_where_a_text_is_cut_makes_no_difference(words: list[str], data: st.DataObject) -> None:
    """Also with keys that begin alike, hold each other or repeat themselves."""
    forms, text = Forms(["ab" * 9, "ab" * 10, "abc" * 6, "b" + "ab" * 9]), "".join(words)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6))

    assert masked(forms, pieces(text, *cuts)) == masked(forms, [text])


@given(st.text(max_size=60), st.lists(st.integers(0, 80), max_size=5))
def test_all_else_is_exact(text: str, cuts: list[int]) -> None:
    whole = text + " pk_user_id int, Bearer sk-ant-api03- " + KEY[:15]

    assert masked(Forms([KEY, "short-key"]), pieces(whole, *(min(cut, len(whole)) for cut in cuts))) == whole


def test_so_much_of_a_key_at_the_end_of_a_text_is_masked_too() -> None:
    assert masked(Forms([KEY]), ["It begins with ", KEY[:-1]]) == "It begins with …"


def test_masking_takes_time_linear_to_the_text_and_next_to_none_per_word() -> None:
    forms = Forms([KEY])
    words = ["word ", "sk-", "Zx", "c2", "the ", "73", "\n"] * 30_000
    began = time.process_time()
    assert masked(forms, words) == "".join(words)
    assert (time.process_time() - began) / len(words) < 100e-6
    began = time.process_time()
    assert masked(forms, ["sk-test-" * 1_000_000]) == "sk-test-" * 1_000_000
    assert time.process_time() - began < 10


@pytest.fixture
def endpoint(api: FakeApi) -> Endpoint:
    return Endpoint("fake", api.base_url, SecretStr(KEY))


def echo(api: FakeApi, form: str, cut: int) -> None:
    """Let the service repeat the key in all fields of a good answer, cut in its texts."""
    head, tail = form[:cut], form[cut:]
    events = [
        {"model": form, "choices": [{"index": 0, "delta": {"reasoning_content": f"R {head}", "content": f"T {head}"}}]},
        {"choices": [{"index": 1, "delta": {"content": f"Second {head}"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": f"{tail} r", "content": f"{tail} t"}}]},
        {"choices": [{"index": 1, "delta": {"content": tail}, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": form}]},
    ]
    steps = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    api.script("parrot", *steps, b"data: [DONE]\n\n", headers={"x-request-id": form})


@pytest.mark.row("T2")
def test_nothing_of_a_good_answer_holds_a_key(endpoint: Endpoint, api: FakeApi) -> None:
    random.seed(7)
    for name, form in written(KEY).items():
        echo(api, form, random.randrange(1, len(form)))
        raw = RawAnswer(KEY)
        reply = answer(endpoint, request("parrot", n=2, stream=True), on_bytes=raw.add)
        first, second = reply.choices

        everything = [first.text, first.reasoning, second.text, first.finish_reason, reply.model, reply.request_id]
        assert all("…" in str(one) for one in everything), name
        assert not any(leaks(str(one), form) for one in [*everything, raw.text]), name
        assert first.text[:2] == "T " and first.text[-2:] == " t" and second.text.startswith("Second "), name
        values = [json.loads(line[6:]) for line in raw.text.splitlines() if line.startswith("data: {")]
        for index in (0, 1):
            parts = [choice["delta"].get("content", "") for value in values for choice in value["choices"]
                     if choice["index"] == index]  # fmt: skip
            assert not leaks("".join(parts), form), name


def test_a_list_of_models_holds_no_key(endpoint: Endpoint, api: FakeApi) -> None:
    api.script_models(json.dumps({"data": [{"id": f"gpt-{KEY}"}]}))

    assert listed(endpoint) == [f"gpt-…{KEY[-4:]}"]


HALF = {"choices": [{"index": 0, "delta": {"content": "Keys begin with sk-"}}]}
ENDS: dict[str, list[Step]] = {
    "whole": [b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n', b"data: [DONE]\n\n"],
    "cut": [-1],
    "failed": [b'data: {"error": {"message": "overloaded"}}\n\n'],
    "stopped": [float("inf")],
}


def test_what_is_held_back_comes_at_the_end_whatever_the_end(endpoint: Endpoint, api: FakeApi) -> None:
    """An answer may end in what could begin a key; that is no reason to lose it."""
    for end, steps in ENDS.items():
        api.script("half", f"data: {json.dumps(HALF)}\n\n".encode(), *steps)
        before, after = using(partial(stopped_after_a_word, endpoint, end == "stopped"))
        assert (before, after) == ("Keys begin with ", "Keys begin with sk-"), end


async def stopped_after_a_word(endpoint: Endpoint, stop: bool, client: Client) -> tuple[str, str]:
    """The text after its first piece, and at the end of an answer that may be stopped there."""
    reply, texts, begun = Reply(), [], asyncio.Event()

    async def read() -> None:
        async with aclosing(client.ask(endpoint, request("half"))) as deltas:
            async for delta in deltas:
                reply.add(delta)
                texts.append(reply.choices[0].text if reply.choices else "")
                begun.set()

    task = asyncio.create_task(read())
    await asyncio.wait([task, asyncio.create_task(begun.wait())], return_when=asyncio.FIRST_COMPLETED)
    if stop:
        task.cancel()
    [ended] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError) == stop
    return texts[0], reply.choices[0].text


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    factory = logging.getLogRecordFactory()
    mask_log()
    mask_log()
    with KNOWN.using(SecretStr(KEY)), caplog.at_level(logging.DEBUG):
        yield caplog
    logging.setLogRecordFactory(factory)


@pytest.mark.row("T22")
def test_no_record_of_any_library_holds_a_known_key(log: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore.http11", "streamlit", "uvicorn.access", "tempera", "sqlalchemy"):
        logger = logging.getLogger(name)
        logger.warning("plain %s", KEY)
        logger.warning("key " + KEY)
        logger.warning("named %(key)s", {"key": KEY})
        logger.warning("%r %d", KEY.encode(), 3)
        logger.warning("header %s", b64encode(f"Bearer {KEY}".encode()).decode())
        try:
            raise ValueError(KEY)
        except ValueError:
            logger.exception("failed")
    assert "plain …" in log.text and "ValueError: …" in log.text
    assert not any(leaks(log.text, form) for form in written(KEY).values())
    assert "'GET', '/', 3" in str(_record("%s %s %d", "GET", "/", 3).args), "arguments stay apart for formatters"


@pytest.mark.row("T22")
def test_what_ends_a_thread_is_logged_and_holds_no_known_key(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    mask_log()

    def fail() -> None:
        raise ValueError(KEY)

    thread = threading.Thread(target=fail, name="painter")
    thread.start()
    thread.join()
    assert "the thread painter has ended" in log.text and "ValueError: …" in log.text
    assert not any(leaks(log.text + capsys.readouterr().err, form) for form in written(KEY).values())


def _record(message: str, *args: object) -> logging.LogRecord:
    return logging.getLogger("x").makeRecord("x", logging.INFO, "", 0, message, args, None)


def test_the_log_knows_the_keys_of_the_operator_and_of_visitors_while_they_are_connected(
    endpoint: Endpoint,
) -> None:
    own = replace(endpoint, api_key=SecretStr("sk-test-of-a-visitor-0002"))
    registry = EndpointRegistry([replace(endpoint, name="operator", api_key=SecretStr("sk-test-of-operator-0003"))])
    assert KNOWN.forms.masked("sk-test-of-operator-0003") == "…0003"

    registry.connect("ada", own)
    kept = registry.connect("ada", own)
    assert KNOWN.forms.masked("sk-test-of-a-visitor-0002") == "…0002"

    registry.disconnect("ada", kept.name)
    assert KNOWN.forms.masked("sk-test-of-a-visitor-0002.") == "sk-test-of-a-visitor-0002."

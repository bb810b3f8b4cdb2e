"""Calls that never reach an answer, lists of models, and clocks: what is recorded and said."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from pydantic import SecretStr

from lib.core import errors
from lib.core.errors import recorded
from lib.core.parameters import Params
from lib.core.reply import Delta
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client, Clocks
from lib.gateway.endpoints import Endpoint
from lib.gateway.model_ids import MOST_LISTED, thinks
from lib.ui.shared.texts import catalogue
from tests.fake_api import FakeApi

KEY = "sk-test-abcdefghijklmnopqrstuvwxyz"
ASKED = ChatRequest("echo", (Message(role="user", content="hello"),), Params(stream=True))


def failure(endpoint: Endpoint, clocks: Clocks) -> tuple[errors.TemperaError, int]:
    """The error of a call, and the attempts it took."""
    retries: list[int] = []

    async def work() -> list[Delta]:
        client = Client(clocks, Random(1))
        try:
            return [one async for one in client.ask(endpoint, ASKED, on_retry=lambda at, *_: retries.append(at))]
        finally:
            await client.aclose()

    with pytest.raises(errors.TemperaError) as caught:
        asyncio.run(work())
    return caught.value, len(retries) + 1


@contextmanager
def full_queue() -> Iterator[int]:
    """A port that accepts no connection: its queue is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for one in waiting:
            one.close()


def both(error: errors.TemperaError) -> tuple[str, str]:
    again = recorded(error.record(), error.original)
    return again.sentence(), again.sentence(catalogue("zh_Hans").gettext)


@pytest.mark.parametrize(
    ("base_url", "kind", "attempts", "says"),
    [
        ("http://127.0.0.1:1/v1", "refused", 2, "Nothing answers at 127.0.0.1:1."),
        ("http://tempera.invalid/v1", "name_not_found", 2, "The name tempera.invalid can't be found."),
        ("https://127.0.0.1:{port}/v1", "tls", 1, "No secure connection to 127.0.0.1:{port} could be made."),
        ("http://127.0.0.1:{full}/v1", "no_connection", 1, "No connection to 127.0.0.1:{full} within 0.3 seconds."),
    ],
)
def test_where_nothing_was_sent_the_page_says_so(base_url: str, kind: str, attempts: int, says: str) -> None:
    with FakeApi() as api, full_queue() as full:
        names = {"port": api.base_url.split(":")[2].removesuffix("/v1"), "full": full}
        endpoint = Endpoint("gate", base_url.format(**names), SecretStr(KEY))
        error, made = failure(endpoint, Clocks(connect=0.3))
        english, chinese = both(error)

        assert (error.kind, error.billed, made, api.requests) == (kind, "no", attempts, [])
        assert english.startswith(says.format(**names)) and english.endswith("othing was sent.")
        assert "什么都没有发送" in chinese


def test_a_wrong_address_is_answered_with_the_right_one(subtests: pytest.Subtests) -> None:
    for typed, meant in [
        ("http://{host}", "http://{host}/v1"),
        ("http://{host}/v1/chat/completions", "http://{host}/v1"),
        ("http://{host}/chat/completions", "http://{host}/v1"),
        ("http://{host}/v1/models", "http://{host}/v1"),
        ("http://{host}/v1/completions/", "http://{host}/v1"),
        ("http://{host}/api", "http://{host}/api/v1"),
    ]:
        with subtests.test(typed=typed), FakeApi() as api:
            host = api.base_url.removeprefix("http://").removesuffix("/v1")
            error, made = failure(Endpoint("gate", typed.format(host=host), SecretStr(KEY)), Clocks())

            assert (error.kind, made) == ("wrong_address", 1)
            assert error.sentence().endswith(f"Try {meant.format(host=host)}")


def test_models_that_think_get_more_time_for_their_first_token(subtests: pytest.Subtests) -> None:
    for model, expected in [
        ("o3", True),
        ("openai/o4-mini", True),
        ("gpt-5-mini", True),
        ("deepseek-r1", True),
        ("qwq-32b", True),
        ("deepseek-reasoner", True),
        ("qwen3-thinking", True),
        ("grok-4-0709", True),
        ("magistral-small", True),
        ("gpt-4o", False),
        ("deepseek-v3-0324", False),
        ("claude-3-5-haiku", False),
        ("qwen-max", False),
    ]:
        with subtests.test(model=model):
            assert thinks(model) is expected


def listed(api: FakeApi) -> list[str]:
    async def work() -> list[str]:
        client = Client(Clocks(models=0.5))
        try:
            return await client.models(Endpoint("gate", api.base_url, SecretStr(KEY)))
        finally:
            await client.aclose()

    return asyncio.run(work())


def test_ten_thousand_models_and_more_are_listed_once_each() -> None:
    ids = [f"vendor/model-{at}:free" for at in range(MOST_LISTED + 500)]
    with FakeApi() as api:
        api.script_models(json.dumps({"object": "list", "data": [{"id": name} for name in ids]}))

        assert listed(api) == ids[:MOST_LISTED]


def test_ids_of_any_kind_are_kept_or_dropped(subtests: pytest.Subtests) -> None:
    for ids, expected in [
        (["a", "a", " a ", "a\n"], ["a"]),
        (["models/gemini", "a:b@c", "模型-1", "ft:gpt-4o:me::x9", "a b"], None),
        (["x" * 300, "x" * 301], ["x" * 300]),
        (["a\u0000", "b\u202e", "\ud83d", ""], []),
        ([None, 3, {"id": 4}, ["x"]], []),
    ]:
        with subtests.test(ids=ids[:2]), FakeApi() as api:
            api.script_models(json.dumps({"data": [{"id": one} for one in ids] + [{"id": "last"}]}))

            assert listed(api) == [*(ids if expected is None else expected), "last"]

"""The client against a service on a real socket: answers, refusals, clocks, connections, keys."""

import asyncio
import errno
import gzip
import json
import socket
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any, cast

import pytest
from pydantic import SecretStr

from lib.core import errors
from lib.core.reply import Delta, Reply
from lib.core.request import ChatRequest
from lib.gateway import sockets
from lib.gateway.client import Client, Clocks
from lib.gateway.endpoints import Endpoint
from tests.clients import CLOCKS, KEY, answer, failure, listed, request, using, whole
from tests.fake_api import MODELS, FakeApi, Step, answer_text


@pytest.fixture
def endpoint(api: FakeApi) -> Endpoint:
    return Endpoint("fake", api.base_url, SecretStr(KEY), first_token_seconds=2.0)


def test_an_answer_is_the_same_streamed_or_not(subtests: pytest.Subtests, endpoint: Endpoint, api: FakeApi) -> None:
    for model in ["echo", "json", "sse", "long-40"]:
        for stream in [True, False, None]:
            with subtests.test(model=model, stream=stream):
                reply = answer(endpoint, request(model, temperature=0.5, stream=stream))

                assert reply.choices[0].text == answer_text(model, 0.5, "hello big world")
                assert reply.choices[0].finish_reason == "stop"
                assert (reply.model, reply.request_id) == (model, f"fake-{len(api.requests)}")


@pytest.mark.row("U9")
@pytest.mark.parametrize("stream", [True, False])
def test_usage_comes_with_the_answer(endpoint: Endpoint, stream: bool) -> None:
    usage = answer(endpoint, request("reason", stream=stream)).usage

    assert (usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens) == (3, 8, 3)
    assert usage.source == "reported"


def test_it_is_told_how_far_a_request_has_come_and_nothing_of_one_that_could_not_leave(endpoint: Endpoint) -> None:
    told: list[str] = []
    impatient = replace(endpoint, first_token_seconds=0.3)
    failure(impatient, request("silent"), on_step=told.append, retry=False)
    assert told == ["admitted", "connected", "sent"]

    nowhere = replace(endpoint, base_url="http://127.0.0.1:9/v1")
    failure(nowhere, request("echo"), on_step=told.append, retry=False)
    assert told == ["admitted", "connected", "sent", "admitted"], "it had its turn, and did not leave"


def test_no_usage_stays_unknown(endpoint: Endpoint) -> None:
    assert answer(endpoint, request("no-usage", stream=True)).usage.source == "unknown"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["reason", "think"])
def test_reasoning_is_kept_apart_from_the_text(endpoint: Endpoint, model: str, stream: bool) -> None:
    choice = answer(endpoint, request(model, stream=stream)).choices[0]

    assert (choice.reasoning, choice.text) == ("Thinking it over.", "You said: hello big world")


@pytest.mark.parametrize("stream", [True, False])
def test_several_choices_come_side_by_side(endpoint: Endpoint, stream: bool) -> None:
    texts = [choice.text for choice in answer(endpoint, request("echo", n=3, stream=stream)).choices]

    assert texts == [answer_text("echo", None, "hello big world", index) for index in range(3)]


def test_fewer_choices_than_asked_end_without_waiting(endpoint: Endpoint) -> None:
    assert len(answer(endpoint, request("n-ignored", n=3, stream=True)).choices) == 1


def test_max_tokens_and_stop_are_sent(endpoint: Endpoint, api: FakeApi) -> None:
    reply = answer(endpoint, request("echo", max_tokens=2, stop=["world"], stream=True))

    assert (reply.choices[0].text, reply.choices[0].finish_reason) == ("You said:", "length")
    assert api.requests[0].body == {
        "model": "echo",
        "messages": [{"role": "user", "content": "hello big world"}],
        "max_tokens": 2,
        "stop": ["world"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_lone_surrogate_in_a_prompt_does_no_harm(endpoint: Endpoint) -> None:
    assert answer(endpoint, request("echo", "a\ud83db")).choices[0].text == "You said: a?b"


def test_refusals_are_told_apart(subtests: pytest.Subtests, endpoint: Endpoint) -> None:
    for stream in [True, False]:
        for model, kind in [
            ("error-401", errors.BadKey),
            ("error-402", errors.NoBalance),
            ("error-403", errors.NoBalance),
            ("error-404", errors.ModelNotFound),
            ("error-429", errors.RateLimited),
            ("error-500", errors.UpstreamFailed),
            ("error-504", errors.GatewayTimeout),
            ("refuses-temperature", errors.BadParameter),
            ("html", errors.WrongAddress),
            ("empty", errors.Empty),
            ("cut", errors.CutOff),
        ]:
            with subtests.test(model=model, stream=stream):
                error = failure(endpoint, request(model, temperature=0.5, stream=stream), retry=False)

                assert type(error) is kind
                assert error.facts["service"] == "fake" and error.facts["model"] == model
                assert "?" not in error.sentence()


def test_what_had_come_before_a_cut_is_given_out(endpoint: Endpoint) -> None:
    seen: list[Delta] = []

    async def work(client: Client) -> None:
        async for delta in client.ask(endpoint, request("cut", stream=True)):
            seen.append(delta)

    with pytest.raises(errors.CutOff):
        using(work)
    assert "".join(delta.text for delta in seen) == "You said:"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["error-429-once", "error-500-once"])
def test_a_passing_failure_is_tried_again_after_the_wait_asked_for(
    endpoint: Endpoint, api: FakeApi, model: str, stream: bool
) -> None:
    heard: list[tuple[int, float, str]] = []
    reply = answer(
        endpoint,
        request(model, stream=stream),
        on_retry=lambda attempt, wait, error: heard.append((attempt, wait, error.kind)),
    )

    assert reply.choices[0].text == "You said: hello big world"
    assert [(attempt, wait) for attempt, wait, _ in heard] == [(1, 0.1)]
    assert len(api.requests) == 2
    assert api.requests[1].arrived - (api.requests[0].finished or 0) > 0.08


def test_nothing_is_tried_again_when_told_not_to(endpoint: Endpoint, api: FakeApi) -> None:
    assert isinstance(failure(endpoint, request("error-429-once"), retry=False), errors.RateLimited)
    assert len(api.requests) == 1


def test_no_retry_once_something_was_shown_or_may_be_billed(endpoint: Endpoint, api: FakeApi) -> None:
    api.script("late", b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', b'data: {"error":{"code":503}}\n\n')
    for model in ("late", "cut", "error-504"):
        failure(endpoint, request(model, stream=True))

    assert len(api.requests) == 3


def test_a_waiting_call_holds_no_place_at_its_endpoint(endpoint: Endpoint) -> None:
    inside = 0
    seen: list[int] = []

    class Admitting(Endpoint):
        @asynccontextmanager
        async def admit(self, request: ChatRequest) -> AsyncIterator[Endpoint]:
            nonlocal inside
            inside += 1
            try:
                yield endpoint
            finally:
                inside -= 1

    other = Admitting("other", "http://127.0.0.1:1/v1")
    answer(other, request("error-429-once"), on_retry=lambda *_: seen.append(inside))

    assert seen == [0]


def test_the_endpoint_that_admits_is_the_one_that_is_asked(endpoint: Endpoint) -> None:
    class Elsewhere(Endpoint):
        @asynccontextmanager
        async def admit(self, request: ChatRequest) -> AsyncIterator[Endpoint]:
            yield endpoint

    assert answer(Elsewhere("other", "http://127.0.0.1:1/v1"), request("echo")).model == "echo"


def test_silence_before_the_first_word_ends_in_a_time_out(endpoint: Endpoint, api: FakeApi) -> None:
    error = failure(replace(endpoint, first_token_seconds=0.2), request("silent", stream=True))

    assert isinstance(error, errors.TimedOut)
    assert (error.facts["clock"], error.facts["seconds"], error.billed) == ("first_token", 0.2, "unknown")
    assert len(api.requests) == 1
    api.wait(lambda fake: fake.requests[0].closed_by_client)


def test_pings_do_not_keep_a_dead_stream_alive(endpoint: Endpoint, api: FakeApi) -> None:
    pings: list[Step] = [b": PING\n\n", 0.05] * 400
    api.script("pings", b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', *pings)
    began = time.monotonic()
    error = failure(endpoint, request("pings", stream=True))

    assert isinstance(error, errors.TimedOut) and error.facts["clock"] == "pings"
    assert time.monotonic() - began < 10


def test_a_model_may_think_longer_than_the_silence_allowed_later(endpoint: Endpoint, api: FakeApi) -> None:
    role, text = (
        b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n',
    )
    api.script("thinks", role, 0.7, text, b'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')

    assert answer(endpoint, request("thinks", stream=True)).choices[0].text == "x"


def test_a_slow_reader_is_not_taken_for_a_silent_service(endpoint: Endpoint) -> None:
    async def work(client: Client) -> str:
        text = ""
        async for delta in client.ask(endpoint, request("slow-20", stream=True)):
            text += delta.text
            await asyncio.sleep(CLOCKS.silence * 1.2 if text == "You" else 0)
        return text

    assert using(work) == "You said: hello big world"


@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
def test_a_stream_that_never_closes_ends_once_the_answer_is_complete(
    endpoint: Endpoint, api: FakeApi, end: bytes
) -> None:
    api.script(
        "stalls", b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n' + end, float("inf")
    )
    began = time.monotonic()

    assert answer(endpoint, request("stalls", stream=True)).choices[0].text == "x"
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("model", "asked", "deltas"),
    [("silent", True, 0), ("slow-150", True, 2), ("slow-5000", False, 0)],
    ids=["silent", "amid a stream", "before a JSON answer"],
)
def test_cancelling_closes_the_connection_at_once(
    endpoint: Endpoint, api: FakeApi, model: str, asked: bool, deltas: int
) -> None:
    async def work(client: Client) -> None:
        enough = asyncio.Event()
        seen: list[Delta] = []

        async def read() -> None:
            async for delta in client.ask(endpoint, request(model, stream=asked)):
                seen.append(delta)
                if len(seen) >= deltas:
                    enough.set()

        task = asyncio.create_task(read())
        await asyncio.to_thread(api.wait, lambda fake: fake.requests)
        if deltas:
            await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(api.wait, lambda fake: fake.requests[0].closed_by_client)

    using(work)
    assert api.requests[0].finished is None


def test_cancelling_in_the_middle_of_a_tls_handshake_closes_the_connection_at_once(endpoint: Endpoint) -> None:
    """The service takes the first bytes and never answers them."""

    async def work(client: Client) -> bytes:
        begun, left = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(1)
            begun.set()
            with suppress(ConnectionResetError):
                await reader.read()
            left.set_result(True)
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            https = replace(endpoint, base_url=f"https://127.0.0.1:{port}/v1")
            task = asyncio.create_task(whole(client, https, request("echo")))
            await begun.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(5):
                return await left

    assert using(work)


@pytest.mark.parametrize("name", ["TOGETHER_SECONDS", "MORE_SECONDS"])
def test_words_that_come_soon_after_each_other_are_read_together_but_not_the_first_or_the_end(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sockets, name, 3600.0)
    read: list[bytes] = []

    async def words(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)  # the first word in a packet of its own
        for word in range(20):
            writer.write(chunk(b'data: {"choices":[{"delta":{"content":"%d "}}]}\n\n' % word))
            await writer.drain()
            await asyncio.sleep(0.01)
            while not read:  # when it began is measured, so it is not kept waiting
                await asyncio.sleep(0.01)
        writer.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    async def work(client: Client) -> None:
        async with serving(endpoint, words) as service:
            with suppress(errors.CutOff):  # it gives no reason for its end
                async for _ in client.ask(service, request("any", stream=True), on_bytes=read.append):
                    pass

    using(work)
    assert b"".join(read).count(b"data:") == 21 and len(read) <= 4
    assert not sockets.Socket.answering


@pytest.mark.parametrize("model", ["echo", "error-400"])
def test_a_connection_that_is_kept_after_its_answer_puts_no_other_answer_off(endpoint: Endpoint, model: str) -> None:
    async def work(client: Client) -> int:
        with suppress(errors.ApiError):
            await whole(client, endpoint, request(model, stream=True))
        return len(sockets.Socket.answering)

    assert using(work) == 0


def test_a_timer_that_comes_late_is_not_taken_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "TOGETHER_SECONDS", 0.01)

    async def work() -> bytes:
        loop, one = asyncio.get_running_loop(), sockets.Socket()
        for _ in range(sockets.AT_ONCE):
            one.data_received(b"word")
            assert await one.read(64) == b"word"
        one.data_received(b"two" + sockets.LAST_CHUNK)  # not put off
        assert await one.read(3) == b"two"
        one.data_received(b"more")  # put off, and read at once with what was there
        assert await one.read(64) == sockets.LAST_CHUNK + b"more"
        loop.call_later(0.1, one.data_received, b"next" + sockets.LAST_CHUNK)
        return await one.read(64)

    assert asyncio.run(work()) == b"next" + sockets.LAST_CHUNK


def test_what_comes_behind_an_answer_is_not_the_next_one(endpoint: Endpoint) -> None:
    def answered(word: bytes) -> bytes:
        body = b'{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}' % word
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    number = count(1)

    async def too_much(writer: asyncio.StreamWriter) -> None:
        writer.write(answered(b"mine %d" % next(number)) + answered(b"of somebody else"))

    async def work(client: Client) -> list[str]:
        async with serving(endpoint, too_much) as service:
            return [(await whole(client, service, request("any"))).choices[0].text for _ in range(2)]

    assert using(work) == ["mine 1", "mine 2"]


@asynccontextmanager
async def serving(
    endpoint: Endpoint, answer: Callable[[asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[Endpoint]:
    """A service that answers one request on each connection, and waits until that is closed."""
    connections: list[asyncio.Task[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(cast(asyncio.Task[Any], asyncio.current_task()))
        await reader.readuntil(b'"messages"')
        await answer(writer)
        with suppress(ConnectionResetError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server, asyncio.timeout(20):
        yield replace(endpoint, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        await asyncio.gather(*connections)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_leaving_the_loop_early_closes_the_connection(endpoint: Endpoint, api: FakeApi) -> None:
    async def work(client: Client) -> None:
        deltas = client.ask(endpoint, request("slow-100", stream=True))
        async for delta in deltas:
            if delta.text:
                break
        await deltas.aclose()
        await asyncio.to_thread(api.wait, lambda fake: fake.requests[0].closed_by_client)

    using(work)


def test_calls_one_after_the_other_share_a_connection(endpoint: Endpoint, api: FakeApi) -> None:
    async def work(client: Client) -> None:
        for stream in (True, False, True):
            await whole(client, endpoint, request("echo", stream=stream))

    using(work)
    assert len({one.connection for one in api.requests}) == 1


def test_many_calls_at_once_each_get_a_connection_and_none_is_lost(endpoint: Endpoint, api: FakeApi) -> None:
    async def work(client: Client) -> list[Reply]:
        return await asyncio.gather(
            *(whole(client, endpoint, request("slow-20", f"p{at}", stream=True)) for at in range(80))
        )

    replies = using(work, Clocks())
    assert [reply.choices[0].text for reply in replies] == [f"You said: p{at}" for at in range(80)]
    assert api.most_at_once > 40


def test_no_connection_stays_open_after_the_client_is_closed(endpoint: Endpoint, api: FakeApi) -> None:
    answer(endpoint, request("echo"))
    api.wait(lambda fake: fake.open_connections == 0)


def test_no_cookie_is_kept(endpoint: Endpoint, api: FakeApi) -> None:
    body = b'{"choices":[{"message":{"content":"x"}}]}'
    api.script("cookie", body, headers={"set-cookie": "who=me; Path=/"})

    async def work(client: Client) -> None:
        await whole(client, endpoint, request("cookie"))
        await whole(client, endpoint, request("cookie"))

    using(work)
    assert [one.headers.get("cookie") for one in api.requests] == [None, None]


@pytest.mark.row("T7")
@pytest.mark.parametrize("stream", [True, False])
def test_a_redirect_is_not_followed(endpoint: Endpoint, api: FakeApi, stream: bool) -> None:
    error = failure(replace(endpoint, base_url=api.base_url.replace("/v1", "/moved")), request("echo", stream=stream))

    assert isinstance(error, errors.WrongAddress)
    assert error.original == "307 → /v1/chat/completions"
    assert len(api.requests) == 1


def test_a_proxy_never_comes_between_this_computer_and_itself(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert answer(endpoint, request("echo")).model == "echo"


def test_an_address_without_its_version_suggests_the_right_one(endpoint: Endpoint, api: FakeApi) -> None:
    error = failure(replace(endpoint, base_url=api.base_url.removesuffix("/v1")), request("echo"))

    assert isinstance(error, errors.WrongAddress)
    assert error.suggestion == api.base_url


@pytest.mark.parametrize(
    ("base_url", "kind", "attempts"),
    [
        ("http://127.0.0.1:1/v1", errors.ConnectionRefused, 2),
        ("http://tempera.invalid/v1", errors.NameNotFound, 2),
        ("https://127.0.0.1:{port}/v1", errors.TlsFailed, 1),
    ],
)
def test_no_connection_says_why_and_sends_nothing(
    api: FakeApi, base_url: str, kind: type[errors.TemperaError], attempts: int
) -> None:
    port = api.base_url.split(":")[2].split("/")[0]
    made: list[int] = []
    place = Endpoint("gone", base_url.format(port=port), SecretStr(KEY))
    error = failure(place, request("echo"), on_retry=lambda attempt, *_: made.append(attempt))

    assert type(error) is kind and error.billed == "no"
    assert len(made) + 1 == attempts
    assert api.requests == [] and str(error.facts["address"]) in base_url.format(port=port)


def test_a_service_that_hangs_up_as_soon_as_it_is_connected_is_no_surprise(
    api: FakeApi, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system no longer says then where the connection leads, and nothing is sent to nobody knows whom."""

    port, peer = int(api.base_url.split(":")[2].split("/")[0]), socket.socket.getpeername

    def closed(one: socket.socket) -> Any:
        if one.getsockname()[1] == port:  # the service's own end, in this process too
            return peer(one)
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(socket.socket, "getpeername", closed)
    direct = failure(endpoint, request("echo"), retry=False)
    monkeypatch.setenv("HTTP_PROXY", api.base_url.removesuffix("/v1"))
    proxied = failure(replace(endpoint, base_url="http://api.service.test/v1"), request("echo"), retry=False)

    assert (type(direct), type(proxied)) == (errors.ConnectionFailed, errors.ProxyFailed)
    assert direct.billed == proxied.billed == "no"
    assert api.requests == []


@pytest.mark.row("T6")
def test_an_address_that_can_be_read_two_ways_is_refused(subtests: pytest.Subtests) -> None:
    for base_url in [
        "ftp://host/v1",
        "http://user:pw@host/v1",
        "http:///v1",
        "http://a\\@b/v1",
        "host",
        "http://h/v1?x=1",
        "",
    ]:
        with subtests.test(base_url=base_url):
            error = failure(Endpoint("odd", base_url, SecretStr(KEY)), request("echo"))

            assert isinstance(error, errors.InvalidInput) and "pw" not in error.sentence()


@pytest.mark.parametrize("typed", [f" {KEY}\n", f"\t{KEY}\r\n", f"\ufeff{KEY}"])
def test_blanks_around_a_key_are_dropped(endpoint: Endpoint, api: FakeApi, typed: str) -> None:
    answer(replace(endpoint, api_key=SecretStr(typed)), request("echo"))

    assert api.requests[0].authorization == "…wxyz"


@pytest.mark.row("T3")
@pytest.mark.parametrize(
    "typed", ["sk-a\nb-secret", "Bearer sk-secret", "sk-sécret", "sk-\x00secret", "sk-" + "x" * 10_000]
)
def test_a_key_that_can_not_be_one_is_refused_without_showing_it(endpoint: Endpoint, api: FakeApi, typed: str) -> None:
    error = failure(replace(endpoint, api_key=SecretStr(typed)), request("echo"))

    assert isinstance(error, errors.InvalidInput)
    assert "secret" not in repr(error) + str(error.facts) + error.original
    assert api.requests == []


@pytest.mark.row("T3")
def test_a_service_that_repeats_the_key_gets_it_masked(endpoint: Endpoint, api: FakeApi) -> None:
    secret = "plain0key0of0forty0characters"
    api.script("parrot", f'{{"error": {{"message": "bad key {secret}", "code": "{secret}"}}}}'.encode(), status=401)
    error = failure(replace(endpoint, api_key=SecretStr(secret)), request("parrot"))

    assert error.original == "bad key …ters"
    assert secret not in repr(error) + str(vars(error))


def test_a_service_may_need_no_key() -> None:
    with FakeApi(keys_optional=True) as api:
        assert answer(Endpoint("open", api.base_url), request("echo")).model == "echo"
        assert api.requests[0].authorization == ""


@pytest.mark.row("T21")
def test_a_head_without_end_is_none(endpoint: Endpoint, api: FakeApi) -> None:
    api.script("bomb", b"{}", headers={"x-endless": "x" * 200_000})

    assert isinstance(failure(endpoint, request("bomb"), retry=False), errors.CutOff)


@pytest.mark.row("T21")
def test_an_endless_json_answer_ends_in_an_error(endpoint: Endpoint, api: FakeApi) -> None:
    api.script("bomb", b'{"choices": [', *[b" " * 1024 * 1024] * 40)

    # With the usual times: on a busy machine the others are over before it is found too long.
    with pytest.raises(errors.Malformed):
        using(lambda client: whole(client, endpoint, request("bomb")), Clocks())


@pytest.mark.row("T21")
def test_a_packed_answer_comes_whole_and_an_endless_one_takes_no_memory(endpoint: Endpoint, api: FakeApi) -> None:
    """It was asked not to be packed; httpx would unpack it at once, and as often as its head says."""
    told = json.dumps({"choices": [{"message": {"content": "packed " * 30_000}}]}).encode()
    for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        api.script("packed", pack(told)[:200], pack(told)[200:], headers={"content-encoding": name})
        assert answer(endpoint, request("packed")).choices[0].text == "packed " * 30_000
    endless = gzip.compress(b'{"choices": [' + b" " * 96 * 2**20, 1)
    for name, body in (("gzip", endless), ("gzip, gzip", gzip.compress(endless))):
        api.script("bomb", body, headers={"content-encoding": name})
        tracemalloc.start()
        with pytest.raises(errors.Malformed):
            using(lambda client: whole(client, endpoint, request("bomb")), Clocks())
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 64 * 2**20, name


def test_models_are_listed_in_their_order(endpoint: Endpoint) -> None:
    assert listed(endpoint) == list(MODELS)


def test_odd_lists_of_models_are_understood(subtests: pytest.Subtests, endpoint: Endpoint, api: FakeApi) -> None:
    for body in [
        '{"data": [{"id": "a"}, {"id": "b/c:free"}, {"id": "a"}, {"id": null}, {}, 3, {"id": "x\\u0000"}]}',
        '["a", "b/c:free"]',
        '{"models": [{"name": "a"}, {"model": "b/c:free", "name": "shown"}]}',
        '{"object": "list", "data": ["a", " b/c:free "]}',
        '\ufeff[{"id": "a"}, {"id": "b/c:free"}]',
        '{"data": {"a": {}, "b/c:free": {}}}',
    ]:
        with subtests.test(body=body):
            api.script_models(body)

            assert listed(endpoint) == ["a", "b/c:free"]


def test_no_list_of_models_is_told_from_other_trouble(
    subtests: pytest.Subtests, endpoint: Endpoint, api: FakeApi
) -> None:
    for body, status, kind in [
        ('{"data": []}', 200, errors.NoModelList),
        ('{"data": null}', 200, errors.NoModelList),
        ("", 200, errors.NoModelList),
        ("<html></html>", 200, errors.NoModelList),
        ("", 404, errors.NoModelList),
        ("<html></html>", 404, errors.NoModelList),
        ('{"error": {"message": "no", "code": 401}}', 200, errors.BadKey),
        ('{"error": {"message": "Insufficient Balance"}}', 402, errors.NoBalance),
        ("", 503, errors.UpstreamFailed),
    ]:
        with subtests.test(body=body, status=status):
            api.script_models(body, status)
            with pytest.raises(errors.ApiError) as caught:
                listed(endpoint)

            assert type(caught.value) is kind
            assert "fake" in caught.value.sentence()


def test_a_list_of_models_from_an_address_without_its_version_suggests_the_right_one(
    endpoint: Endpoint, api: FakeApi
) -> None:
    with pytest.raises(errors.WrongAddress) as caught:
        listed(replace(endpoint, base_url=api.base_url.removesuffix("/v1")))

    assert caught.value.suggestion == api.base_url


def test_a_bad_key_is_found_by_listing_the_models(endpoint: Endpoint) -> None:
    with pytest.raises(errors.BadKey):
        listed(replace(endpoint, api_key=SecretStr("sk-bad-abcdefgh")))


def test_a_list_of_models_that_never_comes_times_out(endpoint: Endpoint, api: FakeApi) -> None:
    api.script_models(float("inf"))
    with pytest.raises(errors.TimedOut):
        listed(endpoint)

"""One request to a service, its answer as it comes.

Async only; a `Client` is made once and used on one event loop.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from random import Random

import httpx

from lib.core.errors import (
    ApiError,
    BadAnswer,
    Blocked,
    CutOff,
    ModelNotFound,
    NoBalance,
    NoModelList,
    TemperaError,
    TimedOut,
    WrongAddress,
)
from lib.core.i18n import N_
from lib.core.parameters import Params
from lib.core.reply import Delta
from lib.core.request import ChatRequest
from lib.gateway import unpacking
from lib.gateway.addresses import host_of, key_of, service_url
from lib.gateway.answer_stream import AnswerReader
from lib.gateway.endpoints import Endpoint
from lib.gateway.error_mapping import error_from, is_error, redirect_error, with_version
from lib.gateway.key_masking import KNOWN
from lib.gateway.model_ids import model_ids, thinks
from lib.gateway.response_info import ResponseInfo, response_info
from lib.gateway.retry import Retries, told_to_wait
from lib.gateway.sse import json_value
from lib.gateway.transport import (
    Connection,
    ConnectionPool,
    OnStep,
    Stopwatch,
    closes_silently,
    ignore_step,
    translated,
)

MOST_ERROR_BYTES = 65_536
MOST_LIST_BYTES = 4 * 1024 * 1024
SENT_TWICE = N_("It was sent twice and may be billed twice. Try again later, or choose another model.")

OnRetry = Callable[[int, float, TemperaError], None]
OnBytes = Callable[[bytes], None]


def ignore_bytes(_: bytes) -> None:
    """A tap that nobody listens at."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long to wait, in seconds; an endpoint has its own clock for the first word of an answer.

    connect: for a connection. thinking: how many times longer a reasoning model may take to begin. silence: between
    two pieces of an answer (pings don't count). grace: for the end of the connection once the answer is complete.
    models: for the whole of a model list.
    """

    connect: float = 10.0
    thinking: float = 3.0
    silence: float = 30.0
    grace: float = 5.0
    models: float = 20.0


class Client:
    """Sends requests and reads answers; holds the connections between calls."""

    def __init__(self, clocks: Clocks | None = None, rng: Random | None = None) -> None:
        self._clocks = clocks or Clocks()
        self._retries = Retries(rng)
        self._connections = ConnectionPool(self._clocks.connect)

    async def aclose(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        await self._connections.aclose()

    async def ask(
        self,
        endpoint: Endpoint,
        request: ChatRequest,
        *,
        retry: bool = True,
        on_retry: OnRetry | None = None,
        retries: Retries | None = None,
        on_bytes: OnBytes = ignore_bytes,
        on_step: OnStep = ignore_step,
    ) -> AsyncGenerator[Delta, None]:
        """The answer of `endpoint`, as it comes; raises a TemperaError.

        The first delta names the model and the request id, the last ones carry finish reasons and usage. With `retry`,
        a call that failed before anything was shown is tried again where that can't be billed twice; `on_retry` hears
        the attempts made so far, the seconds to wait and the error, and `retries` decides, and waits. `on_step` hears
        how far the request has come, `on_bytes` hears the bytes of the answer as they came. Closing the generator, or
        cancelling the task that waits for it, closes the connection.
        """
        attempt, paid, retries = 1, 0, retries or self._retries
        while True:
            shown = came = False
            try:
                # `async for` does not close a generator that it leaves early, and this one holds a connection.
                async with aclosing(self._once(endpoint, request, on_bytes, on_step, retries)) as deltas:
                    async for delta in deltas:
                        shown = True
                        came = came or bool(delta.text or delta.reasoning or delta.parts)
                        yield delta
                return
            except TemperaError as error:
                wait = retries.wait(error, attempt, shown) if retry else None
                if wait is None:
                    if isinstance(error, ApiError) and error.request_id:
                        yield Delta(request_id=error.request_id)
                    raise _as_far_as_it_came(error, shown, came, paid + 1) from None
                paid += error.billed != "no"
                if on_retry:
                    on_retry(attempt, wait, error)
            await retries.sleep(wait)
            attempt += 1

    async def models(self, endpoint: Endpoint) -> list[str]:
        """The model ids that `GET /models` lists, in its order; raises NoModelList where there is no such list."""
        return (await self.models_and_server(endpoint))[0]

    async def models_and_server(self, endpoint: Endpoint) -> tuple[list[str], str]:
        """The model ids, and what the server calls itself; raises as `models` does."""
        with _named(endpoint, ""), KNOWN.using(endpoint.api_key):
            try:
                async with asyncio.timeout(self._clocks.models):
                    return await self._models(endpoint)
            except TimeoutError:
                raise TimedOut(clock="first_token", seconds=self._clocks.models) from None

    async def try_chat(self, endpoint: Endpoint) -> TemperaError | None:
        """What a chat service says to a request without messages, which costs nothing; None where it answers even
        that."""
        empty = ChatRequest("", (), Params(max_tokens=1))
        with _named(endpoint, ""), KNOWN.using(endpoint.api_key):
            try:
                async with asyncio.timeout(self._clocks.models):
                    return await self._refusal(endpoint, empty)
            except TimeoutError:
                return TimedOut(clock="first_token", seconds=self._clocks.models)
            except TemperaError as error:
                return error

    async def _once(
        self, endpoint: Endpoint, request: ChatRequest, on_bytes: OnBytes, on_step: OnStep, retries: Retries
    ) -> AsyncGenerator[Delta, None]:
        """One attempt; between attempts a call holds nothing at its endpoint."""
        with _named(endpoint, request.model):
            async with endpoint.admit(request) as admitted:
                with KNOWN.using(admitted.api_key):
                    async with aclosing(self._answer(admitted, request, on_bytes, on_step, retries)) as deltas:
                        async for delta in deltas:
                            yield delta

    async def _answer(
        self, endpoint: Endpoint, request: ChatRequest, on_bytes: OnBytes, on_step: OnStep, retries: Retries
    ) -> AsyncGenerator[Delta, None]:
        on_step("admitted")
        thinking = self._clocks.thinking if thinks(request.model) else 1.0
        watch = Stopwatch(endpoint.first_token_seconds * thinking)
        async with self._connections.one(endpoint.base_url, endpoint.public_only) as http:
            response = await watch.wait_for(_asked(http, endpoint, request, on_step))
            try:
                info = response_info(response, endpoint, request.model)
                if not response.is_success:
                    raise await _no(response, info, watch)
                wait = told_to_wait(response.headers, time.time())
                if wait is not None:
                    retries.used_up(wait)
                reader = AnswerReader(info, request.choices)
                async with aclosing(self._read(response, reader, watch, on_bytes)) as deltas:
                    async for delta in deltas:
                        yield delta
            finally:
                # Before the client goes back to the pool: an unread answer would be taken for the next call's.
                await response.aclose()
                if closes_silently(response):
                    await http.aclose()

    async def _read(
        self, response: httpx.Response, reader: AnswerReader, watch: Stopwatch, on_bytes: OnBytes
    ) -> AsyncGenerator[Delta, None]:
        """The deltas in the body of `response`; what had come is given out before an error is raised."""
        ending: TemperaError | None = None
        async with aclosing(unpacking.chunks(response)) as chunks:
            while True:
                try:
                    chunk = await watch.wait_for(anext(chunks, b""))
                except (BadAnswer, TimedOut) as error:
                    chunk, ending = b"", error
                except asyncio.CancelledError:
                    # What is held back has been paid like the rest; the cancelling goes on after it.
                    for delta in reader.flush():
                        yield delta
                    raise
                if not chunk:
                    break
                on_bytes(chunk)
                before = reader.progress
                try:
                    for delta in reader.feed(chunk):
                        yield delta
                except TemperaError:
                    for delta in reader.flush():
                        yield delta
                    raise
                self._wind(watch, reader, restart=reader.progress > before)
        for delta in reader.close(broken=ending is not None):
            yield delta
        if ending is not None and not reader.ended:
            raise ending
        reader.verify()

    def _wind(self, watch: Stopwatch, reader: AnswerReader, *, restart: bool) -> None:
        """Set the clock for what is to come next."""
        name = "silence" if restart else "pings"
        if reader.complete:
            watch.allow(name, self._clocks.grace, restart)
        elif reader.begun:
            watch.allow(name, self._clocks.silence, restart)
        else:
            watch.allow(watch.name, watch.seconds, restart)

    async def _refusal(self, endpoint: Endpoint, empty: ChatRequest) -> TemperaError | None:
        async with self._connections.one(endpoint.base_url, endpoint.public_only) as http:
            with translated():
                response = await _asked(http, endpoint, empty, ignore_step)
            try:
                body = await _start_of(response, MOST_ERROR_BYTES)
            finally:
                await response.aclose()
        info = response_info(response, endpoint, "").with_body(body)
        if 300 <= info.status < 400:
            return redirect_error(info, response.headers.get("location", ""))
        value = json_value(body)
        if not response.is_success or is_error(value):
            return error_from(info)
        answered = body.startswith("data:") or (isinstance(value, dict) and "choices" in value)
        return None if answered else WrongAddress(status=info.status)

    async def _models(self, endpoint: Endpoint) -> tuple[list[str], str]:
        url = service_url(endpoint.base_url, "/models")
        async with self._connections.one(endpoint.base_url, endpoint.public_only) as http:
            with translated():
                response = await http.send("GET", url, _headers(endpoint))
            try:
                body = await _start_of(response, MOST_LIST_BYTES)
            finally:
                await response.aclose()
        listed = _listed(response, response_info(response, endpoint, "").with_body(body))
        return listed, response.headers.get("server", "")


@contextmanager
def _named(endpoint: Endpoint, model: str) -> Iterator[None]:
    """Let errors say which service and model they are about."""
    try:
        yield
    except TemperaError as error:
        error.facts |= {"service": endpoint.title, "address": host_of(endpoint.base_url), "model": model}
        error.args = (error.sentence(),)
        raise


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = key_of(endpoint.api_key)
    # Not compressed: gateways that compress a stream hold words back until their buffer is full.
    return {"accept-encoding": "identity", **({"authorization": f"Bearer {key}"} if key else {})}


async def _asked(http: Connection, endpoint: Endpoint, request: ChatRequest, on_step: OnStep) -> httpx.Response:
    """The beginning of the answer to a chat request."""
    body = json.dumps({**request.body(), **endpoint.own_fields}, ensure_ascii=False, separators=(",", ":"))
    headers = _headers(endpoint) | {"content-type": "application/json"}
    url = service_url(endpoint.base_url, "/chat/completions")
    # Half a surrogate pair, as a browser can paste it, has no UTF-8 and would end the call with a traceback.
    return await http.send("POST", url, headers, body.encode("utf-8", "replace"), on_step)


def _as_far_as_it_came(error: TemperaError, shown: bool, came: bool, times: int) -> TemperaError:
    """`error` as it is once part of the answer was `shown`: that part may be billed, whatever the error is; or as it is
    before any word `came`: nothing broke in the middle, and nothing is kept. `times` it may have been billed."""
    if shown and error.billed == "no":
        error.billed = "unknown"
        error.hint = error.hint if isinstance(error, NoBalance | Blocked) else CutOff.hint
    if isinstance(error, CutOff) and not came:
        error.before_anything()
    if times > 1:
        error.billed, error.hint = "unknown", SENT_TWICE
    error.args = (error.sentence(),)
    return error


async def _no(response: httpx.Response, info: ResponseInfo, watch: Stopwatch) -> ApiError:
    """The error in a response whose status is not 200."""
    if response.is_redirect or 300 <= response.status_code < 400:
        return redirect_error(info, response.headers.get("location", ""))
    try:
        return error_from(info.with_body(await watch.wait_for(_start_of(response, MOST_ERROR_BYTES))))
    except (BadAnswer, TimedOut):
        return error_from(info)


async def _start_of(response: httpx.Response, most: int) -> str:
    """The first `most` bytes of the body, as text."""
    body = bytearray()
    async with aclosing(unpacking.chunks(response)) as chunks:
        with translated():
            async for chunk in chunks:
                body += chunk
                if len(body) >= most:
                    break
    return bytes(body[:most]).decode("utf-8-sig", "replace")


def _listed(response: httpx.Response, info: ResponseInfo) -> list[str]:
    """The ids in the answer to `GET /models`; raises what it is instead."""
    if 300 <= info.status < 400:
        raise redirect_error(info, response.headers.get("location", ""))
    value = json_value(info.body)
    if info.status == httpx.codes.OK and not is_error(value):
        keys = KNOWN.forms_with(info.secret)
        ids = [keys.masked(id) for id in model_ids(value)]
        if ids:
            return ids
        page = info.body.lstrip().startswith("<")
        raise error_from(info) if page and with_version(info.base_url) else NoModelList(status=info.status)
    error = error_from(info)
    missing = isinstance(error, WrongAddress | ModelNotFound)
    raise NoModelList(error.original, status=error.status, request_id=error.request_id) if missing else error

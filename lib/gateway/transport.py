"""Lends a connection to each call, keeps its time limits, and tells what each failure of the network means."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, Literal, TypeVar

import httpx

from lib.core.errors import (
    ApiError,
    ConnectionFailed,
    CutOff,
    InvalidInput,
    Malformed,
    NoConnection,
    ProxyFailed,
    TemperaError,
    TimedOut,
)
from lib.core.i18n import N_
from lib.gateway.addresses import check_host, check_public, check_public_name, unreachable
from lib.gateway.direct_connection import DirectConnection
from lib.gateway.error_redaction import masked
from lib.gateway.proxies import host_and_port, proxy_for

MOST_IDLE = 64
KEPT_SECONDS = 20.0
HEADERS = {"accept": "*/*", "connection": "keep-alive", "user-agent": f"python-httpx/{httpx.__version__}"}
"""Those of each request, as httpx's client sends them."""

FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError)
"""What sending a request, or reading its answer, may raise."""

T = TypeVar("T")
Step = Literal["admitted", "connected", "sent"]
OnStep = Callable[[Step], None]
"""Hears how far a request has come: its endpoint lets it through, it has a connection (a new one or one that was kept),
it has left as a whole."""


class Connection:
    """One connection to a service, opened by its first request.

    httpx's transport without its client: that one would look into each request and answer for redirects, cookies and
    passwords, which none of ours may follow, keep or send, and take a third of the time of all httpx does.
    """

    def __init__(
        self, tls: ssl.SSLContext, connect_seconds: float, proxy: str | None, public_only: bool = False
    ) -> None:
        self._http = _by_proxy(tls, proxy) if proxy else DirectConnection(tls, KEPT_SECONDS)
        self._timeout = httpx.Timeout(None, connect=connect_seconds).as_dict()
        self.public_only, self.closed = public_only, False

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        on_step: "OnStep | None" = None,
    ) -> httpx.Response:
        """The beginning of an answer, whose body is still to be read; it has to be closed. Raises what httpx raises."""
        extensions = {"timeout": self._timeout, "trace": tracing(on_step or ignore_step, self.public_only)}
        request = httpx.Request(
            method, _parsed(url), headers={**HEADERS, **headers}, content=content, extensions=extensions
        )
        try:
            response = await self._http.handle_async_request(request)
        except httpx.RequestError as error:
            error.request = request
            raise
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close it; it opens no more."""
        self.closed = True
        await self._http.aclose()


class ConnectionPool:
    """Connections, lent out one per call: httpx's own pool gets slower with its size."""

    def __init__(self, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._tls = httpx.create_ssl_context()
        self._idle: list[tuple[str, Connection]] = []
        self._closed = False

    @asynccontextmanager
    async def one(self, base_url: str, public_only: bool = False) -> AsyncIterator[Connection]:
        """A connection for one call to `base_url`, used before if possible. Raises InvalidInput where that is not on
        the public internet and has to be."""
        proxy = proxy_for(base_url)
        if public_only:
            await _check_public(base_url, proxy, self._connect_seconds)
        connection = self._taken(base_url, public_only)
        connection = connection or Connection(self._tls, self._connect_seconds, proxy, public_only)
        sound = False
        try:
            yield connection
            sound = True
        except ApiError:
            # A refusal that was read to its end leaves the connection as good as an answer does.
            sound = True
            raise
        except ConnectionFailed as error:
            if proxy is None:
                raise
            # Whatever the reason is, it says nothing of the service: between it and here is the proxy.
            raise ProxyFailed(error.original, proxy=host_and_port(proxy)) from None
        finally:
            if sound and not self._closed and not connection.closed:
                self._idle.append((base_url, connection))
            else:
                await connection.aclose()
            if len(self._idle) > MOST_IDLE:
                await self._idle.pop(0)[1].aclose()

    def _taken(self, base_url: str, public_only: bool) -> Connection | None:
        # The one used last: a server is least likely to have closed it meanwhile.
        for index in reversed(range(len(self._idle))):
            if self._idle[index][0] == base_url and self._idle[index][1].public_only == public_only:
                return self._idle.pop(index)[1]
        return None

    async def aclose(self) -> None:
        """Close all that is idle, and from now on each connection when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop()[1].aclose()


def _by_proxy(tls: ssl.SSLContext, proxy: str) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS)
    # trust_env: what it would read of the environment, `proxies` does.
    return httpx.AsyncHTTPTransport(verify=tls, limits=limits, proxy=proxy, trust_env=False)


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def ignore_step(_: Step) -> None:
    """For who need not know how far a request has come."""


async def _check_public(base_url: str, proxy: str | None, seconds: float) -> None:
    """Raises InvalidInput where an address is not on the public internet, before anything is connected to: whether an
    inner address takes connections is already too much to tell."""
    if proxy is not None:
        # It looks the name up once more, and nobody here sees what it finds.
        raise InvalidInput(N_("Services of one's own can't be connected here: all requests go through a proxy."))
    try:
        async with asyncio.timeout(seconds):
            await check_public_name(base_url)
    except TimeoutError:
        raise NoConnection(seconds=seconds) from None


def tracing(on_step: OnStep, public_only: bool) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """What httpx tells the steps of a request to; https://www.python-httpx.org/advanced/extensions/#trace names them.

    A connection is given up before anything is sent over it when it leads where none may: a name can mean any address,
    and another one each time it is looked up; `public_only` is for those that have to lead to the public internet.
    `on_step` hears how far the request has come.
    """

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            stream = info["return_value"]
            leads_to = stream.get_extra_info("server_addr")
            if leads_to is None:  # the system tells it only while the connection stands
                await stream.aclose()
                raise httpx.ConnectError("The connection was closed as soon as it was opened.")
            address = str(leads_to[0])
            try:
                check_host(address)
                if public_only:
                    check_public(address)
            except InvalidInput:
                await stream.aclose()
                raise
        elif event == "http11.send_request_headers.started":
            # And not the end of connecting: a connection that was kept has none, and TLS comes after it.
            on_step("connected")
        elif event == "http11.send_request_body.complete":
            on_step("sent")

    return trace


def closes_silently(response: httpx.Response) -> bool:
    """Whether the server closes its connections without saying so: llama.cpp does after each stream, and a request
    sent meanwhile would be lost."""
    return bool(response.headers.get("server") == "llama.cpp")


class Stopwatch:
    """A clock that runs only while something is awaited, so that a slow reader is not taken for a silent service."""

    def __init__(self, seconds: float) -> None:
        self.name, self.seconds = "first_token", seconds
        self._waited = 0.0

    def allow(self, name: str, seconds: float, restart: bool) -> None:
        """Allow so many seconds, from now on or from the last restart."""
        self.name, self.seconds = name, seconds
        self._waited = 0.0 if restart else self._waited

    async def wait_for(self, awaitable: Awaitable[T]) -> T:
        """The result of `awaitable`; raises TimedOut, or what a failure of httpx means."""
        began = time.monotonic()
        try:
            # One deadline over several waits, and not httpx's read timeout: that one starts anew with every ping.
            async with asyncio.timeout(self.seconds - self._waited):
                try:
                    return await awaitable
                except FAILURES as error:
                    raise _meant(error) from None
        except TimeoutError:
            raise TimedOut(clock=self.name, seconds=self.seconds) from None
        finally:
            self._waited += time.monotonic() - began


@contextmanager
def translated() -> Iterator[None]:
    """Turn the failures of httpx inside into errors of ours."""
    try:
        yield
    except FAILURES as error:
        raise _meant(error) from None


def _meant(error: Exception) -> TemperaError:
    """What a failure of httpx means; only texts that can't hold our own headers are kept."""
    match error:
        case TimeoutError():
            raise error  # asyncio's own: an OSError since Python 3.11, and not httpx's to explain
        case httpx.ConnectTimeout():
            return NoConnection(seconds=error.request.extensions["timeout"]["connect"])
        case httpx.ConnectError():
            return unreachable(error)
        case httpx.ProxyError():
            return ConnectionFailed(masked(str(error)))
        case httpx.DecodingError():
            return Malformed(masked(str(error)))
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return InvalidInput(N_("The address or the key can't be put into a request."))
        case _:
            return CutOff(masked(str(error)))

"""One connection to a service without a proxy: httpcore's HTTP/1.1 on a socket of asyncio's own.

httpcore's own way to the network goes through anyio, which lets the loop go round at each step and takes as long as all
of HTTP; and it leaves a socket open where its call is stopped in the middle of a TLS handshake. Here whoever opens a
socket also closes it, at once and without waiting for anything: a call that is stopped may be stopped once more.
"""

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

MOST_WAITING = 2**20
"""Bytes that have come and nobody has read; with more the service has to wait."""
NEXT_ADDRESS_SECONDS = 0.25
"""After so long the next address of a name is tried beside the first one (RFC 8305)."""


class DirectConnection(httpx.AsyncBaseTransport):
    """A connection that the first request opens, and later ones use again as long as the service keeps it open for
    `kept_seconds`. Takes one request at a time."""

    def __init__(self, tls: ssl.SSLContext, kept_seconds: float) -> None:
        self._tls, self._kept_seconds = tls, kept_seconds
        self._socket: Socket | None = None
        self._http: httpcore.AsyncHTTP11Connection | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; raises what httpx raises."""
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast(httpx.AsyncByteStream, request.stream),
            extensions=request.extensions,
        )
        with _as_httpx():
            http = self._http
            if http is None or not http.is_idle() or http.has_expired():
                http = await self._open(asked)
            answer = await http.handle_async_request(asked)
        stream = _Body(answer.stream)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close it at once."""
        if self._socket is not None:
            self._socket.close()
        self._http = None

    async def _open(self, request: httpcore.Request) -> httpcore.AsyncHTTP11Connection:
        await self.aclose()
        origin, extensions = request.url.origin, request.extensions
        self._socket = await Socket.connected(origin.host.decode(), origin.port, extensions["timeout"]["connect"])
        try:
            # Before anything is sent: whoever made the request looks at where it leads.
            await extensions["trace"]("connection.connect_tcp.complete", {"return_value": self._socket})
            if origin.scheme == b"https":
                await self._socket.start_tls(self._tls, origin.host.decode(), extensions["timeout"]["connect"])
        except BaseException:
            self._socket.close()
            raise
        self._http = httpcore.AsyncHTTP11Connection(origin, self._socket, self._kept_seconds)
        return self._http


class Socket(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """A socket as httpcore reads and writes it. Whoever is answered waits by a clock of its own, so that only
    connecting has one here."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = self._held = False
        self._error: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    @classmethod
    async def connected(cls, host: str, port: int, seconds: float | None) -> "Socket":
        """A socket that is connected; raises ConnectTimeout and ConnectError."""
        loop = asyncio.get_running_loop()
        with _connecting():
            async with asyncio.timeout(seconds):
                connecting = loop.create_connection(cls, host, port, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
                return (await connecting)[1]

    async def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None, timeout: float | None) -> None:  # type: ignore[override]
        """Go on in TLS, on this socket; raises ConnectTimeout and ConnectError."""
        ssl_context.set_alpn_protocols(["http/1.1"])
        loop = asyncio.get_running_loop()
        with _connecting():
            async with asyncio.timeout(timeout):
                try:
                    made = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
                except ConnectionError as hung_up:
                    raise ssl.SSLError(f"The handshake was not finished: {hung_up}") from hung_up
        assert made is not None
        self._transport = made

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; empty at the end."""
        while not self._received and not self._ended:
            self._reading = asyncio.get_running_loop().create_future()
            await self._reading
        if not self._received and self._error is not None:
            raise httpcore.ReadError(str(self._error)) from self._error
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if self._held and len(self._received) < MOST_WAITING:
            self._held = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; ends when the system has taken nearly all."""
        if buffer and not self._ended:
            self._transport.write(buffer)
        if self._writing is not None:
            await asyncio.shield(self._writing)
        if self._ended:
            raise httpcore.WriteError("The connection is closed.")

    def close(self) -> None:
        """Close it at once, whatever is on its way."""
        # Not `close`: that sends what waits first, and in TLS says goodbye and waits for the answer.
        self._transport.abort()

    async def aclose(self) -> None:
        """The same, as httpcore calls it."""
        self.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for."""
        if info == "is_readable":
            return self._ended or bool(self._received) or _is_readable(self._transport)
        return self._transport.get_extra_info({"server_addr": "peername"}.get(info, info))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio has connected it."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio has read something."""
        self._received += data
        if len(self._received) > MOST_WAITING and not self._held:
            self._held = True
            self._transport.pause_reading()
        _wake(self._reading)

    def eof_received(self) -> bool:
        """The service sends no more."""
        self._ended = True
        _wake(self._reading)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by either side."""
        self._ended, self._error = True, exc
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._writing = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The system takes more."""
        _wake(self._writing)
        self._writing = None


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer, with httpx's errors."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def _wake(waiting: "asyncio.Future[None] | None") -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _is_readable(transport: asyncio.Transport) -> bool:
    """Whether something has come that the loop has not looked at yet."""
    file = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):  # Windows, where `select` takes any socket
        return file < 0 or bool(select.select([file], [], [], 0)[0])
    waiting = select.poll()
    waiting.register(file, select.POLLIN)
    return bool(waiting.poll(0))


@contextmanager
def _connecting() -> Iterator[None]:
    try:
        yield
    except TimeoutError as late:
        raise httpcore.ConnectTimeout(str(late)) from late
    except OSError as failed:
        raise httpcore.ConnectError(str(failed)) from failed


@contextmanager
def _as_httpx() -> Iterator[None]:
    """httpcore's errors as httpx's, which have the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error

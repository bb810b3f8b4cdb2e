"""A socket of asyncio's own, to a service without a proxy.

httpcore's way to the network goes through anyio, which lets the loop go round at each step and takes as long as all of
HTTP; and it leaves a socket open where its call is stopped in the middle of a TLS handshake. Here whoever opens a
socket also closes it, at once and without waiting for anything: a call that is stopped may be stopped once more.
"""

import asyncio
import select
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import httpx

MOST_WAITING = 2**20
"""Bytes that have come and nobody has read; with more the service has to wait."""
TOGETHER_SECONDS = 0.03
"""What comes so soon after the last reading is read together: an answer comes in words, each with an event and a packet
of its own. Nobody sees a word that much sooner."""
MORE_SECONDS = 0.001
"""So much longer for each answer that comes at the same time: with 64 of them the processor could do nothing else, and
nobody reads them word by word."""
AT_ONCE = 3
"""So many readings after a request are not put off: when an answer began is measured."""
LAST_CHUNK = b"0\r\n\r\n"
"""The end of an answer that comes in pieces, which is not put off either (RFC 9112, 7.1)."""
NEXT_ADDRESS_SECONDS = 0.25
"""After so long the next address of a name is tried beside the first one (RFC 8305)."""


class Socket(asyncio.Protocol):
    """A socket to be read and written, with httpx's errors. Whoever is answered waits by a clock of its own, so that
    only connecting has one here."""

    _transport: asyncio.Transport
    answering: ClassVar[set["Socket"]] = set()
    """Those whose answer is on its way; of the one loop that all requests have."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = self._held = self._due = False
        self._readings = 0
        self._next_reading = 0.0
        self._later: asyncio.TimerHandle | None = None
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

    async def start_tls(self, tls: ssl.SSLContext, host: str, seconds: float | None) -> None:
        """Go on in TLS, on this socket; raises ConnectTimeout and ConnectError."""
        tls.set_alpn_protocols(["http/1.1"])
        loop = asyncio.get_running_loop()
        with _connecting():
            async with asyncio.timeout(seconds):
                try:
                    made = await loop.start_tls(self._transport, self, tls, server_hostname=host)
                except ConnectionError as hung_up:
                    raise ssl.SSLError(f"The handshake was not finished: {hung_up}") from hung_up
        assert made is not None
        self._transport = made

    async def read(self, max_bytes: int) -> bytes:
        """What has come; empty at the end."""
        loop = asyncio.get_running_loop()
        while not self._due and not self._ended:
            self._reading = loop.create_future()
            await self._reading
        if not self._received and self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        self._due = bool(self._received)
        self._readings += 1
        together = TOGETHER_SECONDS + MORE_SECONDS * len(self.answering)
        self._next_reading = loop.time() + together if self._readings >= AT_ONCE else 0.0
        if self._held and len(self._received) < MOST_WAITING:
            self._held = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes) -> None:
        """Send bytes; ends when the system has taken nearly all."""
        self._readings, self._next_reading = 0, 0.0
        self.answering.add(self)
        if buffer and not self._ended:
            self._transport.write(buffer)
        if self._writing is not None:
            await asyncio.shield(self._writing)
        if self._ended:
            raise httpx.WriteError("The connection is closed.")

    def answered(self) -> None:
        """The answer has come, to what was written."""
        self.answering.discard(self)

    def close(self) -> None:
        """Close it at once, whatever is on its way."""
        self.answered()
        # Not `close`: that sends what waits first, and in TLS says goodbye and waits for the answer.
        self._transport.abort()

    async def aclose(self) -> None:
        """The same, as those call it who also know httpcore's sockets."""
        self.close()

    def get_extra_info(self, info: str) -> Any:
        """What they ask for: `server_addr` is the address it leads to, with the port."""
        return self._transport.get_extra_info({"server_addr": "peername"}.get(info, info))

    @property
    def is_readable(self) -> bool:
        """Whether something has come, be it the end."""
        return self._ended or bool(self._received) or _is_readable(self._transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio has connected it."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio has read something."""
        self._received += data
        if len(self._received) > MOST_WAITING and not self._held:
            self._held = True
            self._transport.pause_reading()
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_reading or self._held or data.endswith(LAST_CHUNK):
            self._let_read()
        elif self._later is None:
            self._later = loop.call_at(self._next_reading, self._let_read)

    def _let_read(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        # All of it may have been read since the timer was set, and nothing to read would be taken for the end.
        self._due = bool(self._received)
        if self._due:
            _wake(self._reading)

    def eof_received(self) -> bool:
        """The service sends no more."""
        self._ended = True
        _wake(self._reading)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by either side."""
        self._ended, self._error = True, exc
        self.answered()
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._writing = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The system takes more."""
        _wake(self._writing)
        self._writing = None


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
        raise httpx.ConnectTimeout(str(late)) from late
    except OSError as failed:
        raise httpx.ConnectError(str(failed)) from failed

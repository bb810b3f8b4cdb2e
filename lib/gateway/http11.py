"""HTTP/1.1 on a socket, one request after the other, by h11, which httpx and httpcore are made on too.

httpcore's own connection hands an answer on in the pieces in which the service has packed it, mostly a word each, and
each goes its way through all that reads it. Here what has come together is handed on together.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import h11
import httpx

from lib.gateway.sockets import Socket

MOST_HEAD = 100 * 1024
"""Bytes of a status line with its headers, as in httpcore."""
MOST_READ = 64 * 1024
"""Bytes that are taken from the socket at once."""


class Http11:
    """A connection that is open; takes a request when it is `usable`."""

    def __init__(self, socket: Socket, kept_seconds: float) -> None:
        self._socket, self._kept_seconds = socket, kept_seconds
        self._h11 = h11.Connection(h11.CLIENT, MOST_HEAD)
        self._kept_until: float | None = None

    @property
    def usable(self) -> bool:
        """Whether it was kept after an answer, and the service has not closed it since."""
        kept = self._kept_until is not None and time.monotonic() <= self._kept_until
        return kept and not self._socket.is_readable

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; raises what httpx raises."""
        self._kept_until = None
        try:
            with _as_httpx():
                # Some refuse a request before they have read all of it, and hang up: the answer counts.
                with suppress(httpx.WriteError):
                    await self._send(request)
                head = await self._head()
        except BaseException:
            self.release()
            raise
        facts = {"http_version": b"HTTP/" + head.http_version, "reason_phrase": bytes(head.reason)}
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=_Body(self), extensions=facts)

    def come(self) -> tuple[bytes, type[h11.Event] | Exception | None]:
        """What has come of the body since the last time, and what is behind it: None, as more is to come, an error, or
        its end."""
        parts: list[bytes] = []
        try:
            with _as_httpx():
                while isinstance(event := self._h11.next_event(), h11.Data):
                    parts.append(bytes(event.data))
        except httpx.RemoteProtocolError as error:
            return b"".join(parts), error
        return b"".join(parts), None if event is h11.NEED_DATA else h11.EndOfMessage

    async def read_more(self) -> bool:
        """Wait for more; False where the service sends no more."""
        data = await self._socket.read(MOST_READ)
        self._h11.receive_data(data)
        return bool(data)

    def release(self) -> None:
        """An answer is done with: after a whole one the connection is kept, and else closed at once."""
        is_whole = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        # What comes behind an answer would be taken for the next one.
        if is_whole and not self._h11.trailing_data[0]:
            self._socket.answered()
            self._h11.start_next_cycle()
            self._kept_until = time.monotonic() + self._kept_seconds
        else:
            self._socket.close()

    async def _send(self, request: httpx.Request) -> None:
        trace = request.extensions["trace"]
        await trace("http11.send_request_headers.started", {})
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        events = (head, h11.Data(request.content), h11.EndOfMessage())
        await self._socket.write(b"".join(self._h11.send(event) or b"" for event in events))
        await trace("http11.send_request_body.complete", {})

    async def _head(self) -> h11.Response:
        # What a service says before (100, 103) is not the answer.
        while not isinstance(event := self._h11.next_event(), h11.Response):
            if event is h11.NEED_DATA and not await self.read_more():
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return event


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer."""

    def __init__(self, http: Http11) -> None:
        self._http, self._closed = http, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                data, ending = self._http.come()
                if data:
                    yield data
                if isinstance(ending, Exception):
                    raise ending
                if ending is not None:
                    return
                await self._http.read_more()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._http.release()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """h11's errors as httpx's."""
    try:
        yield
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error

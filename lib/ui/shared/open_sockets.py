"""The WebSockets of pages that are open in this process: each is closed when the sign-in ends with which it was opened,
within seconds also where nothing comes or goes and another process has ended it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.types import Message, Receive, Send

from lib.access.sign_ins import AGAIN_SECONDS, SignIns


class OpenSocket:
    """A page's WebSocket. Nothing that comes or goes gets through once its sign-in has ended."""

    def __init__(self, sign_ins: SignIns, cookie: str, receive: Receive, send: Send) -> None:
        self.cookie = cookie
        self._sign_ins, self._receive, self._send = sign_ins, receive, send
        self._closed = False

    async def receive(self) -> Message:
        """The next message; that the page has gone, where its sign-in has."""
        message = await self._receive()
        ended = message["type"] == "websocket.receive" and await self.close_if_ended()
        return {"type": "websocket.disconnect", "code": 1008} if ended else message

    async def send(self, message: Message) -> None:
        """Send, while somebody is signed in."""
        if not await self.close_if_ended():
            await self._send(message)

    async def close_if_ended(self) -> bool:
        """Whether the sign-in has ended, by what this process knows; then the socket is closed."""
        if not self._closed and self._sign_ins.visitor(self.cookie) is None:
            self._closed = True
            with suppress(OSError):  # the page has gone by itself
                await self._send({"type": "websocket.close", "code": 1008})
        return self._closed


class OpenSockets:
    """All of them, and the task that looks after them while there are any: every few seconds, with one question to the
    database for all. For the server's event loop."""

    def __init__(self) -> None:
        self._open: set[OpenSocket] = set()
        self._watch: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self, sign_ins: SignIns, socket: OpenSocket) -> Iterator[None]:
        """Look after a socket for as long as its page is served."""
        self._open.add(socket)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_after(sign_ins))
        try:
            yield
        finally:
            self._open.remove(socket)
            if not self._open and self._watch is not None:
                self._watch.cancel()
                self._watch = None

    async def _look_after(self, sign_ins: SignIns) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            await sign_ins.learn_who_left({socket.cookie for socket in self._open})
            # Not one after the other: a page that does not read takes no message, not even that it is closed.
            closing = [asyncio.create_task(socket.close_if_ended()) for socket in self._open]
            await asyncio.wait(closing, timeout=AGAIN_SECONDS)

"""One address at which a browser finds an app, and then another one; the wire to it can be cut and mended."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Self
from urllib.parse import urlsplit

from tests.app_server import AppServer

SIZE = 65_536
WEBSOCKET = b"GET /_stcore/stream"
"""How the connection begins that Streamlit's page keeps for as long as it is open."""


class Proxy:
    """Passes bytes on to the app that was named last; `with Proxy() as proxy:` runs it in a thread of its own."""

    def __init__(self) -> None:
        self._port: int | None = None
        self._whole = True
        self._requests: set[asyncio.StreamWriter] = set()
        self._websockets: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where each app seems to be."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def lead_to(self, app: AppServer) -> AppServer:
        """Lead whoever comes from now on to `app`, which is given back as a browser finds it. A page that is open stays
        with its own app."""
        port = urlsplit(app.url).port
        if port != self._port:
            self._port = port
            # A browser would send its next request over the connection that the last one came by.
            self._abort(self._requests)
        return replace(app, url=self.url)

    def cut(self) -> None:
        """Break all connections, and take no others."""
        self._whole = False
        self._abort(self._requests | self._websockets)

    def mend(self) -> None:
        """Take connections again."""
        self._whole = True

    def _abort(self, wires: set[asyncio.StreamWriter]) -> None:
        asyncio.run_coroutine_threadsafe(_abort(wires), self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wires = self._requests
        wires.add(writer)
        used = {writer}
        with suppress(OSError):  # neither side is bound to stay
            head = await reader.read(SIZE)
            if self._whole and head:
                there, back = await asyncio.open_connection("127.0.0.1", self._port)
                used.add(back)
                wires.discard(writer)
                wires = self._websockets if head.startswith(WEBSOCKET) else self._requests
                wires |= used
                back.write(head)
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        wires -= used
        for one in used:
            one.close()


async def _abort(wires: set[asyncio.StreamWriter]) -> None:
    for writer in list(wires):
        writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(SIZE):
            writer.write(data)
            await writer.drain()
    writer.close()

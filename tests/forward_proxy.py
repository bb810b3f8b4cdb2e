"""A proxy that programs are told of by HTTP_PROXY or ALL_PROXY: HTTP and SOCKS 5 at one port, all leading to one
service, whatever host is asked for."""

import asyncio
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class ForwardProxy:
    """Passes all requests on to `url`; `with ForwardProxy(url) as proxy:` runs it in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.asked: list[str] = []
        """How each connection named its target: `http HOST` or `socks5 HOST`."""
        self._service = urlsplit(url)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            first = await reader.readexactly(1)
            begun = await (self._socks(reader, writer) if first == b"\x05" else self._http(first, reader))
            there, back = await asyncio.open_connection(self._service.hostname, self._service.port)
            try:
                back.write(begun)
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            finally:
                back.close()
        writer.close()

    async def _http(self, first: bytes, reader: asyncio.StreamReader) -> bytes:
        """The first request, for the service as it is for a proxy: with the whole URL in its first line."""
        method, url, rest = (first + await reader.readuntil(b"\r\n")).split(b" ", 2)
        target = urlsplit(url.decode())
        self.asked.append(f"http {target.hostname}")
        return b" ".join([method, target.path.encode(), rest])

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """The greeting and the request of RFC 1928, for a host by its name."""
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        assert kind == 3, "names are looked up at the proxy"
        host = await reader.readexactly((await reader.readexactly(1))[0])
        await reader.readexactly(2)
        self.asked.append(f"socks5 {host.decode()}")
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        return b""


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()

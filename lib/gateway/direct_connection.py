"""One connection to a service, without a proxy."""

import ssl

import httpx

from lib.gateway.http11 import Http11
from lib.gateway.sockets import Socket


class DirectConnection(httpx.AsyncBaseTransport):
    """A connection that the first request opens, and later ones use again as long as the service keeps it open for
    `kept_seconds`. Takes one request at a time."""

    def __init__(self, tls: ssl.SSLContext, kept_seconds: float) -> None:
        self._tls, self._kept_seconds = tls, kept_seconds
        self._socket: Socket | None = None
        self._http: Http11 | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; raises what httpx raises."""
        if self._http is None or not self._http.usable:
            self._http = await self._open(request)
        return await self._http.ask(request)

    async def aclose(self) -> None:
        """Close the connection without waiting for what is under way."""
        if self._socket is not None:
            self._socket.close()
        self._http = None

    async def _open(self, request: httpx.Request) -> Http11:
        await self.aclose()
        url, seconds = request.url, request.extensions["timeout"]["connect"]
        host, is_tls = url.raw_host.decode(), url.scheme == "https"
        self._socket = await Socket.connected(host, url.port or (443 if is_tls else 80), seconds)
        try:
            # Before anything is sent: whoever made the request looks at where it leads.
            await request.extensions["trace"]("connection.connect_tcp.complete", {"return_value": self._socket})
            if is_tls:
                await self._socket.start_tls(self._tls, host, seconds)
        except BaseException:
            self._socket.close()
            raise
        return Http11(self._socket, self._kept_seconds)

"""A shared app without a browser: what one asks it over HTTP and its WebSocket, and what comes back."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.responses import PlainTextResponse
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from lib.ui.shared.shared_pages import SharedPages
from tests.accounts import hash_of
from tests.app_server import AppServer, forked_app

PASSWORD = "four unrelated words"


@contextmanager
def shared_app(folder: Path, **settings: str) -> Iterator[AppServer]:
    """An app that many share, by the password."""
    shared = {
        "TEMPERA_MODE": "shared",
        "TEMPERA_PASSWORD_HASH": hash_of(PASSWORD),
        "STREAMLIT_SERVER_ALLOWED_HOSTS": "tempera.example.com 127.0.0.1",
        "TEMPERA_LOCAL_MODEL": "false",
    }
    with forked_app(folder / "data", **shared | settings) as app:
        yield app


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def cookie(self) -> str:
        """The first one that is set, as it is sent back."""
        return self.headers.get("set-cookie", "").partition(";")[0]


def ask(app: AppServer, method: str, path: str, body: str | None = None, **headers: str) -> Got:
    """The answer to a request; no redirect is followed."""
    connection = http.client.HTTPConnection(app.url.removeprefix("http://"), timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers=named)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)


def sign_in(app: AppServer, typed: str = PASSWORD, place: str = "/", **headers: str) -> Got:
    """The answer to the form; with the right password its cookie is somebody new."""
    form = urlencode({"password": typed, "place": place})
    # Each caller its own address: tries are counted.
    return ask(app, "POST", "/sign-in", form, **({"X_Forwarded_For": "198.51.100.1"} | headers))


def websocket_status(app: AppServer, cookie: str) -> tuple[int, socket.socket]:
    """How the server answers who wants a page's WebSocket, and the connection."""
    own = app.url.removeprefix("http://")
    lines = (
        "GET /_stcore/stream HTTP/1.1", f"Host: {own}", f"Origin: {app.url}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Cookie: {cookie}", "", "",
    )  # fmt: skip
    connection = socket.create_connection(("127.0.0.1", int(own.rpartition(":")[2])), timeout=30)
    connection.sendall("\r\n".join(lines).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    return int(head.split()[1]), connection


def opened_link(token: str) -> httpx.Response:
    """What a link for reading shows, of the app that is open in this process."""
    gate = SharedPages(PlainTextResponse("the app"))

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://localhost") as http:
            return await http.get(f"/shared/{token}")

    return asyncio.run(get())


@dataclass(slots=True)
class Page:
    """A page without a browser: its WebSocket, and the types of messages that have come."""

    socket: ClientConnection
    received: list[str] = field(default_factory=list)
    tab: str = ""
    """The id of the tab, when a run has begun."""

    def run(self) -> None:
        """Have the page's script run, and wait until it has ended."""
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        self.send(asked)
        while self.receive() != "script_finished":
            pass

    def send(self, message: BackMsg) -> None:
        """Send, and wait for nothing."""
        self.socket.send(message.SerializeToString())

    def receive(self) -> str:
        """The type of the next message."""
        message = ForwardMsg.FromString(bytes(self.socket.recv(60)))  # type: ignore[arg-type]
        self.tab = message.new_session.initialize.session_id or self.tab
        self.received.append(str(message.WhichOneof("type")))
        return self.received[-1]

    def end(self) -> int:
        """The code with which the server closes it, though nothing is sent."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, "ended without a word"
            return closed.rcvd.code


@contextmanager
def open_page(app: AppServer, cookie: str, tab: str = "", **headers: str) -> Iterator[Page]:
    """A page of who has this cookie; `tab` is the id of one that has lost its connection."""
    address = f"ws{app.url.removeprefix('http')}/_stcore/stream"
    named = {"Cookie": cookie} | {name.replace("_", "-"): value for name, value in headers.items()}
    spoken: Any = ["streamlit", "no-token", tab] if tab else None
    with connect(
        address, additional_headers=named, subprotocols=spoken, open_timeout=30, max_size=None, proxy=None
    ) as socket:
        yield Page(socket)

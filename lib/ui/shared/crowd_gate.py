"""Keeps a shared Tempera from being overrun: lets in only so many people at once, and slows down who sends too much."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.access.seats import Seats
from lib.access.sign_ins import COOKIE
from lib.access.throttle import Throttle
from lib.core.errors import Full
from lib.core.i18n import N_
from lib.streamlit_internals import is_part
from lib.ui.shared import resources
from lib.ui.shared.plain_page import asked_language, sentence_page
from lib.ui.shared.texts import catalogue
from lib.web_server import HEALTH, SERVED, new_session, security_headers

AGAIN_SECONDS = 60
RATE, BURST = 10, 60
"""Messages of one person's pages: a page that shows a sweep run asks once a second, a press is one or two."""
CROWD = 10
"""So many times as much may come from one network address: a company can have a single one."""


class CrowdGate:
    """Answers a page with “full” where there is no place, and lets a page's WebSocket send at a person's pace. On one's
    own computer everything passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._of_one, self._of_address = Throttle(RATE, BURST), Throttle(RATE * CROWD, BURST * CROWD)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = _visitor(scope)
        if visitor is None:
            await self.app(scope, receive, send)
            return
        seats = resources.services().seats
        try:
            if scope["type"] == "websocket":
                with _inside(seats, visitor):
                    await self.app(scope, self._paced(visitor, _address(scope), receive), send)
                return
            if _is_page(scope):
                seats.take(visitor)
        except Full as full:
            await _refuse(full, scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _paced(self, visitor: str, address: str, receive: Receive) -> Receive:
        async def receive_in_turn() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                # Nothing more is read meanwhile, so that who floods us waits at the other end.
                await asyncio.sleep(max(self._of_one.wait(visitor), self._of_address.wait(address)))
            return message

        return receive_in_turn


@contextmanager
def _inside(seats: Seats, visitor: str) -> Iterator[None]:
    seats.enter(visitor)
    try:
        yield
    finally:
        seats.leave(visitor)


def _visitor(scope: Scope) -> str | None:
    """Who is signed in; None on one's own computer, and for what asks for no page of anybody's."""
    if scope["type"] not in ("http", "websocket") or scope["path"] == HEALTH:
        return None
    sign_ins = resources.services().sign_ins
    return None if sign_ins is None else sign_ins.visitor(HTTPConnection(scope).cookies.get(COOKIE, ""))


def _is_page(scope: Scope) -> bool:
    path = scope["path"]
    return scope["method"] in ("GET", "HEAD") and not is_part(path) and path.strip("/") not in SERVED


def _address(scope: Scope) -> str:
    """The client's, as the proxy in front tells it where there is one (uvicorn sees to that)."""
    return scope["client"][0] if scope.get("client") else ""


async def _refuse(full: Full, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013})  # try again later
        return
    language = asked_language(scope)
    say = catalogue(language).gettext
    page = HTMLResponse(sentence_page(language, say(N_("Full")), full.sentence(say), AGAIN_SECONDS), status_code=503)
    page.headers.update(security_headers("") | {"retry-after": str(AGAIN_SECONDS), "cache-control": "no-store"})
    # The web server in front tells processes apart by it: where there are several, another one may have room.
    page.headers["set-cookie"] = new_session(HTTPConnection(scope))
    await page(scope, receive, send)

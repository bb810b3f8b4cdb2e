"""What a link to one chat or sweep shows: plain HTML, before every gate, as its readers need no sign-in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.access.shared_links import page_of
from lib.core.errors import StoreError
from lib.core.i18n import N_
from lib.ui.shared import resources
from lib.ui.shared.plain_page import asked_language, sentence_page
from lib.ui.shared.texts import catalogue
from lib.web_server import security_headers

SHARED = "/shared/"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""Nothing is loaded and nothing runs, and what stands on the page has no part in our address: no cookie is its own."""
CONCURRENCY = 8
"""So many are answered at once, as each may have 20 MB in memory; who comes then waits for one of them to end."""
PIECE = 65_536
READ_SECONDS, LEAST_SPEED = 60.0, 100_000.0
"""Who takes longer than this, and a second for each 100,000 bytes, is left: others may be waiting."""
NOTHING = N_("Nothing is shown here")
WHY = N_("The link is not whole, has ended, or was taken back. Ask whoever sent it to you for a new one.")


class SharedPages:
    """Answers every address under `/shared/`, and nothing else. Whatever is wrong with a link, its answer is the same:
    it does not tell whether there ever was one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(SHARED):
            await self.app(scope, receive, send)
            return
        async with self._slots:
            answer = await _answer(scope)
            answer.headers.update(security_headers(""))
            answer.headers.update(
                {"content-security-policy": POLICY, "cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}
            )
            seconds = READ_SECONDS + int(answer.headers["content-length"]) / LEAST_SPEED
            with suppress(TimeoutError):  # the server closes a connection whose answer is not whole
                async with asyncio.timeout(seconds):
                    await answer(scope, receive, send)


async def _answer(scope: Scope) -> Response:
    language = asked_language(scope)
    say = catalogue(language).gettext
    services, token = resources.services(), scope["path"].removeprefix(SHARED)
    page = None
    if services.may_share_links and scope["method"] in ("GET", "HEAD"):
        try:
            found = await asyncio.to_thread(services.store.read, lambda db: page_of(db, token))
            page = None if found is None else found.encode()
            del found
        except StoreError as trouble:
            return HTMLResponse(sentence_page(language, say(NOTHING), trouble.sentence(say)), status_code=503)
    if page is None:
        return HTMLResponse(sentence_page(language, say(NOTHING), say(WHY)), status_code=404)
    length = {"content-length": str(len(page))}
    return StreamingResponse(_pieces(page), media_type="text/html", headers=length)


async def _pieces(page: bytes) -> AsyncIterator[bytes]:
    """The server keeps what it was given until it is read, so that it is given little at a time."""
    for at in range(0, len(page), PIECE):
        yield page[at : at + PIECE]

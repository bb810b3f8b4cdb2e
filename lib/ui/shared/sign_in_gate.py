"""The one gate before everything that a shared Tempera serves: who is not signed in gets the page to sign in at."""

from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.access.sign_ins import COOKIE, KEPT_SECONDS, SignIns
from lib.core.errors import NotSignedIn, StoreError, TooManyTries, WrongPassword
from lib.streamlit_internals import is_part
from lib.ui.shared import resources
from lib.ui.shared.sign_in_page import SIGN_IN, SIGN_OUT, sign_in_page, sign_out_page
from lib.ui.shared.texts import browser_language, catalogue
from lib.web import HEALTH, own_origin, security_headers

PLACES = ("/", "/chat", "/sweep", "/usage")
"""Where a sign-in may lead."""
MOST_BYTES = 256 * 1024
"""Of what the form sends: a link to a page can hold a long prompt."""


class SignInGate:
    """Lets through what comes with the cookie of somebody who is signed in, and questions about our health. A
    WebSocket is closed as soon as its sign-in has ended. On one's own computer everything passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sign_ins = resources.services().sign_ins if scope["type"] in ("http", "websocket") else None
        if sign_ins is None or scope["path"] == HEALTH:
            await self.app(scope, receive, send)
            return
        cookie = HTTPConnection(scope).cookies.get(COOKIE, "")
        visitor = await sign_ins.admitted(cookie)
        if scope["type"] == "http":
            response = await _own_answer(sign_ins, visitor, Request(scope, receive))
            await (response or self.app)(scope, receive, send)
        elif visitor is None:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _watched(self.app, sign_ins, cookie, scope, receive, send)


async def _watched(app: ASGIApp, sign_ins: SignIns, cookie: str, scope: Scope, receive: Receive, send: Send) -> None:
    """A page's WebSocket until its sign-in ends: nothing that comes or goes after that gets through."""
    closed = False

    async def close_if_ended() -> bool:
        nonlocal closed
        if not closed and sign_ins.visitor(cookie) is None:
            closed = True
            await send({"type": "websocket.close", "code": 1008})
        return closed

    async def still_received() -> Message:
        message = await receive()
        ended = message["type"] == "websocket.receive" and await close_if_ended()
        return {"type": "websocket.disconnect", "code": 1008} if ended else message

    async def still_sent(message: Message) -> None:
        if not await close_if_ended():
            await send(message)

    await app(scope, still_received, still_sent)


async def _own_answer(sign_ins: SignIns, visitor: str | None, request: Request) -> Response | None:
    """What the gate itself answers; None where the request goes on to the app."""
    path, method = request.scope["path"], request.method
    if path == SIGN_IN and method == "POST":
        answer = await _enter(sign_ins, request)
    elif visitor is None:
        answer = _sign_in_first(request)
    elif path == SIGN_IN:
        answer = RedirectResponse("/", status_code=303)
    elif path == SIGN_OUT:
        asks = HTMLResponse(sign_out_page(_language(request)))
        answer = _leave(sign_ins, visitor, request) if method == "POST" else asks
    else:
        return None
    # Not “no-referrer”: with that a browser says of a form that it comes from nowhere.
    answer.headers.update(security_headers("") | {"referrer-policy": "same-origin", "cache-control": "no-store"})
    return answer


def _sign_in_first(request: Request) -> Response:
    """The page to sign in at in place of any page; parts of pages, and what is no question, get a word."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    if request.method not in ("GET", "HEAD") or is_part(path):
        return PlainTextResponse("not signed in\n", status_code=401)
    place = own_place(f"{path}?{query}" if query else path)
    return HTMLResponse(sign_in_page(_language(request), place), status_code=401)


async def _enter(sign_ins: SignIns, request: Request) -> Response:
    """Signs in who has typed the password, and leads to the page that was asked for."""
    form = await _form(request)
    place = own_place(form.get("place", ""))
    if not own_origin(request.headers):
        # A foreign page's form would sign a person in as somebody else.
        return PlainTextResponse("not from our page\n", status_code=403)
    address = request.client.host if request.client else ""
    try:
        cookie = await sign_ins.enter(form.get("password", ""), address, request.cookies.get(COOKIE, ""))
    except (WrongPassword, TooManyTries) as problem:
        return _refused(request, place, problem)
    answer = RedirectResponse(place, status_code=303)
    answer.set_cookie(COOKIE, cookie, KEPT_SECONDS, secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


def _refused(request: Request, place: str, problem: NotSignedIn) -> Response:
    page = sign_in_page(_language(request), place, problem)
    if isinstance(problem, TooManyTries):
        return HTMLResponse(page, status_code=429, headers={"retry-after": str(round(problem.seconds))})
    return HTMLResponse(page, status_code=401)


def _leave(sign_ins: SignIns, visitor: str, request: Request) -> Response:
    """Signs out, in this browser's other tabs too."""
    language = _language(request)
    if not own_origin(request.headers):
        return PlainTextResponse("not from our page\n", status_code=403)
    try:
        sign_ins.leave(visitor)
    except StoreError as trouble:
        return HTMLResponse(sign_out_page(language, trouble.sentence(catalogue(language).gettext)), status_code=503)
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(COOKIE, secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


def own_place(text: str) -> str:
    """A page of ours with its query, as a link has it; the first page for everything else."""
    path, _, query = text.partition("?")
    return text if path in PLACES and query.isascii() and query.isprintable() else PLACES[0]


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; none of one that is too large or none."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return {}
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=5)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _language(request: Request) -> str:
    return browser_language(request.headers.get("accept-language", ""))


def _is_secure(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")

"""Stands before everything that a shared Tempera serves: who is not signed in gets the page to sign in at."""

from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.access.sign_ins import COOKIE, KEPT_SECONDS, SignIns
from lib.core.errors import NotSignedIn, SignInFailed, StoreError, TooManyTries, WrongPassword
from lib.streamlit_internals import (
    CALLBACK,
    LOGIN,
    USER_COOKIES,
    is_part,
    login_address,
    logout_address,
    signed_in_claims,
)
from lib.ui.shared import resources
from lib.ui.shared.open_sockets import OpenSocket, OpenSockets
from lib.ui.shared.plain_page import asked_language
from lib.ui.shared.sign_in_page import SIGN_IN, SIGN_OUT, WITH_ACCOUNT, sign_in_page, sign_out_page, signed_out_page
from lib.ui.shared.texts import catalogue
from lib.web_server import HEALTH, own_origin, security_headers

PAGES = ("/", "/chat", "/sweep", "/usage")
"""Where a sign-in may lead."""
VISITOR = b"x-tempera-visitor"
"""The header in which Streamlit is told whose a WebSocket is."""
METRICS = "/_stcore/metrics"
"""Streamlit's figures of the server and its sessions."""
WANTED, TO_COME_BACK, MOST_NOTED = "tempera_place", 600, 1_200
"""The cookie that notes for so many seconds, in so many characters, which page was asked for before the provider's."""
MOST_BYTES = 256 * 1024
"""Of what the form sends: a link to a page can hold a long prompt."""


class SignInGate:
    """Lets through what comes with the cookie of somebody who is signed in, and questions about our health. A
    WebSocket is closed when its sign-in has ended. On one's own computer everything passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._sockets = OpenSockets()

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
            socket = OpenSocket(sign_ins, cookie, receive, send)
            with self._sockets.watched(sign_ins, socket):
                await self.app(_as_visitor(scope, visitor), socket.receive, socket.send)


def _as_visitor(scope: Scope, visitor: str) -> Scope:
    """A WebSocket's request that says whose it is, in place of what the browser may say of that.

    Streamlit resumes a tab that has lost its connection, with all that is typed in it, for the same visitor only
    (`server.trustedUserHeaders` in .streamlit/config.toml). Else whoever signs in next in that browser would have it,
    and whoever has learned the tab's id.
    """
    headers = [header for header in scope["headers"] if header[0] != VISITOR]
    return {**scope, "headers": [*headers, (VISITOR, visitor.encode())]}


async def _own_answer(sign_ins: SignIns, visitor: str | None, request: Request) -> Response | None:
    """What the gate itself answers; None where the request goes on to the app."""
    path, method = request.scope["path"], request.method
    if sign_ins.by_account and path in (LOGIN, CALLBACK) and method == "GET":
        return None
    if path == SIGN_IN and method == "POST":
        answer = await _enter(sign_ins, request)
    elif visitor is None and path == WITH_ACCOUNT and sign_ins.by_account:
        answer = _to_the_provider(request)
    elif visitor is None:
        answer = _back_from_the_provider(sign_ins, request) or _sign_in_first(sign_ins, request)
    elif path in (SIGN_IN, WITH_ACCOUNT):
        answer = RedirectResponse("/", status_code=303)
    elif path.startswith(METRICS) and not sign_ins.is_operator(visitor):
        answer = PlainTextResponse("not found\n", status_code=404)
    elif path == SIGN_OUT:
        asks = HTMLResponse(sign_out_page(asked_language(request.scope), mail=visitor if "@" in visitor else ""))
        answer = await _leave(sign_ins, visitor, request) if method == "POST" else asks
    else:
        return None
    # Not “no-referrer”: with that a browser says of a form that it comes from nowhere.
    answer.headers.update(security_headers("") | {"referrer-policy": "same-origin", "cache-control": "no-store"})
    return answer


def _page(sign_ins: SignIns, request: Request, wanted: str, problem: NotSignedIn | None, status: int) -> Response:
    """The page to sign in at, with all the ways that there are."""
    ways = {"by_password": sign_ins.by_password, "by_account": sign_ins.by_account}
    return HTMLResponse(sign_in_page(asked_language(request.scope), wanted, problem, **ways), status_code=status)


def _sign_in_first(sign_ins: SignIns, request: Request) -> Response:
    """The page to sign in at in place of any page; parts of pages, and what is no question, get a word."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    if request.method not in ("GET", "HEAD") or is_part(path):
        return PlainTextResponse("not signed in\n", status_code=401)
    return _page(sign_ins, request, page_of_ours(f"{path}?{query}" if query else path), None, 401)


def _to_the_provider(request: Request) -> Response:
    """Leads to where accounts are signed in with, and notes where to go then."""
    wanted = page_of_ours(request.query_params.get("place", ""))
    answer = RedirectResponse(login_address(), status_code=303)
    # A browser keeps no cookie of more than 4 kB.
    noted = quote(wanted if len(wanted) < MOST_NOTED else urlsplit(wanted).path)
    answer.set_cookie(WANTED, noted, TO_COME_BACK, secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


def _back_from_the_provider(sign_ins: SignIns, request: Request) -> Response | None:
    """Signs in who has come back from there, and leads to the page that was asked for; None for everybody else. What
    Streamlit has kept of it goes: from now on our own cookie counts."""
    if not sign_ins.by_account or WANTED not in request.cookies or request.scope["path"] != "/":
        return None
    wanted = page_of_ours(unquote(request.cookies[WANTED]))
    claims = signed_in_claims(request)
    try:
        if not claims:
            raise SignInFailed
        cookie = sign_ins.enter_with_account(claims)
    except NotSignedIn as problem:
        answer = _page(sign_ins, request, wanted, problem, 401)
    else:
        answer = _signed_in(request, cookie, wanted)
    for name in request.cookies:
        if name == WANTED or name.startswith(USER_COOKIES):
            answer.delete_cookie(name)
    return answer


async def _enter(sign_ins: SignIns, request: Request) -> Response:
    """Signs in who has typed the password, and leads to the page that was asked for."""
    form = await _form(request)
    wanted = page_of_ours(form.get("place", ""))
    if not own_origin(request.headers):
        # A foreign page's form would sign a person in as somebody else.
        return PlainTextResponse("not from our page\n", status_code=403)
    address = request.client.host if request.client else ""
    try:
        cookie = await sign_ins.enter(form.get("password", ""), address, request.cookies.get(COOKIE, ""))
    except TooManyTries as problem:
        answer = _page(sign_ins, request, wanted, problem, 429)
        answer.headers["retry-after"] = str(round(problem.seconds))
        return answer
    except WrongPassword as problem:
        return _page(sign_ins, request, wanted, problem, 401)
    return _signed_in(request, cookie, wanted)


def _signed_in(request: Request, cookie: str, wanted: str) -> Response:
    answer = RedirectResponse(wanted, status_code=303)
    answer.set_cookie(COOKIE, cookie, KEPT_SECONDS, secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


async def _leave(sign_ins: SignIns, visitor: str, request: Request) -> Response:
    """Signs out, in this browser's other tabs too; of an account it says where the rest of that is done."""
    language = asked_language(request.scope)
    if not own_origin(request.headers):
        return PlainTextResponse("not from our page\n", status_code=403)
    try:
        sign_ins.leave(request.cookies.get(COOKIE, ""))
    except StoreError as trouble:
        return HTMLResponse(sign_out_page(language, trouble.sentence(catalogue(language).gettext)), status_code=503)
    there = await logout_address() if "@" in visitor else None
    # A link, as our policy lets no form lead to another address.
    answer: Response = RedirectResponse("/", status_code=303)
    if there is not None:
        answer = HTMLResponse(signed_out_page(language, there))
    answer.delete_cookie(COOKIE, secure=_is_secure(request), httponly=True, samesite="lax")
    return answer


def page_of_ours(text: str) -> str:
    """A page of ours with its query, as a link has it; the first page for everything else."""
    path, _, query = text.partition("?")
    return text if path in PAGES and query.isascii() and query.isprintable() else PAGES[0]


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


def _is_secure(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")

"""The web server around Streamlit: sets the browser session's cookie, sends security headers, serves our scripts
and styles, and the health check."""

import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.streamlit_internals import inline_script_hashes, is_part, with_parts

SESSION_COOKIE = "tempera_session"
ID = re.compile(r"[0-9a-f]{32}")
ASSETS = Path(__file__).parent / "ui" / "assets"
SCRIPTS = ("frame.js", "page.js", "save.js", "conversation.js", "composer.js", "copying.js")
STYLES = ("frame.css", "conversation.css", "history.css")
SERVED = dict.fromkeys(SCRIPTS, "text/javascript") | dict.fromkeys(STYLES, "text/css") | {"logo.svg": "image/svg+xml"}
SCRIPT_TAGS = "".join(f'<script src="/{name}"></script>' for name in SCRIPTS).encode()
STYLE_TAGS = "".join(f'<link rel="stylesheet" href="/{name}">' for name in STYLES).encode()
HEALTH = "/healthz"
HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,255}")


class PageMiddleware:
    """Gives each browser its session cookie and each answer its security headers; refuses foreign WebSockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not own_origin(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            send = _with_headers(scope, send)
            if not is_part(scope["path"]):
                scope, send = _with_parts(scope, send)
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def own_origin(headers: Headers) -> bool:
    """Whether a WebSocket or a form comes from one of our own pages; programs send no Origin and carry no cookies."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _with_headers(scope: Scope, send: Send) -> Send:
    connection = HTTPConnection(scope)
    host = connection.headers.get("host", "")
    cookie = _missing_cookie(connection)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(security_headers(host if HOST.fullmatch(host) else ""))
            if cookie:
                headers.append("set-cookie", cookie)
        await send(message)

    return send_with_headers


def _with_parts(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Puts our scripts and styles into an HTML page: Streamlit has no place for a script that our CSP would let run."""
    plain = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"accept-encoding"]}
    start: list[Message] = []
    page = bytearray()

    async def send_with_parts(message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            start.append(message)
        elif start and message["type"] == "http.response.body":
            page.extend(message.get("body", b""))
            if not message.get("more_body"):
                body = with_parts(bytes(page), SCRIPT_TAGS, STYLE_TAGS)
                MutableHeaders(scope=start[0])["content-length"] = str(len(body))
                await send(start[0])
                await send({"type": "http.response.body", "body": body})
        else:
            await send(message)

    return plain, send_with_parts


def _is_html(start: Message) -> bool:
    """Whether a whole HTML page follows (a HEAD or a 304 has none, but then it has no length to mend either)."""
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type", "").startswith("text/html")


def _missing_cookie(connection: HTTPConnection) -> str | None:
    """The Set-Cookie value of the browser session, where the browser has none yet."""
    if is_part(connection.url.path) or ID.fullmatch(connection.cookies.get(SESSION_COOKIE, "")):
        return None
    return new_session(connection)


def new_session(connection: HTTPConnection) -> str:
    """The Set-Cookie value of another browser session."""
    secure = "; Secure" if connection.url.scheme == "https" else ""
    return f"{SESSION_COOKIE}={secrets.token_hex(16)}; Path=/; HttpOnly; SameSite=Lax{secure}"


def security_headers(host: str) -> dict[str, str]:
    """What each answer says of what the browser may do with it; `host` is our own name, where there is one."""
    sockets = f" ws://{host} wss://{host}" if host else ""
    policy = (
        "default-src 'self'; "
        f"script-src 'self' {inline_script_hashes()}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        f"connect-src 'self'{sockets}; worker-src 'self' blob:; frame-src 'self'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _chat(request: Request) -> Response:
    """The first page lives at `/` only; its own name leads there, with what the link carries."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/", status_code=307)


async def _asset(request: Request) -> Response:
    name = request.url.path.strip("/")
    return FileResponse(ASSETS / name, media_type=SERVED[name], headers={"cache-control": "no-cache"})


ROUTES = [Route(HEALTH, _healthz), Route("/chat", _chat), *(Route(f"/{name}", _asset) for name in SERVED)]

"""Refuses requests that ask for us by a host name that is not allowed; Streamlit checks WebSockets only."""

import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import get_option
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from lib.core.i18n import N_
from lib.ui.shared.plain_page import asked_language
from lib.ui.shared.texts import catalogue
from lib.web_server import HEALTH, security_headers

PORT = re.compile(r":\d{1,5}$")


class HostMiddleware:
    """Answers 421 where the Host is not in server.allowedHosts: a foreign page whose name leads here (DNS rebinding),
    or a person whose name for this computer the operator has not allowed. Machines may ask for our health anyhow."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["path"] != HEALTH
            and not is_host_allowed(Headers(scope=scope).get("host"))
        ):
            await _misdirected(scope)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _misdirected(scope: Scope) -> Response:
    """The answer that names an address at which this Tempera can be opened."""
    headers = Headers(scope=scope)
    language = asked_language(scope)
    message = N_("Tempera does not answer under this name. Open {address} instead, or add the name to {setting}.")
    name = next((name for name in get_option("server.allowedHosts") if "*" not in name), "localhost")
    port = PORT.search(headers.get("host", ""))
    address = f"{scope['scheme']}://{name}{port[0] if port else ''}"
    text = catalogue(language).gettext(message).format(address=address, setting="server.allowedHosts")
    return PlainTextResponse(f"{text}\n", status_code=421, headers=security_headers(""))

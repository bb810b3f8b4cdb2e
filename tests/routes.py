"""A web server of a few given answers, for services that are put together in unusual ways."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, Any]
"""A status, and what comes with it: text as a web page, anything else as JSON, a redirect's address as text."""

OK: Answer = (
    200,
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
)
NO_MESSAGES: Answer = (400, {"error": {"message": "messages: field required", "type": "invalid_request_error"}})
WRONG_KEY: Answer = (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
NOT_FOUND: Answer = (404, {"detail": "Not Found"})
PAGE: Answer = (200, "<!doctype html><title>Console</title>")


def listing(*models: str) -> Answer:
    """A list of models."""
    return 200, {"object": "list", "data": [{"id": model, "object": "model"} for model in models]}


class Routes:
    """Answers `METHOD path` as given, everything else with `rest`."""

    def __init__(self, routes: Mapping[str, Answer], rest: Answer = NOT_FOUND, server: str = "routes"):
        self.routes, self.rest, self.server = dict(routes), rest, server
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        routes = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = f"{self.command} {self.path}"
                routes.asked.append(asked)
                routes.keys.add(self.headers.get("authorization") or "")
                status, value = routes.routes.get(asked, routes.rest)
                page = isinstance(value, str)
                body = (value if page else json.dumps(value)).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", value)
                self.send_header("content-type", "text/html" if page else "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def version_string(self) -> str:
                return routes.server

            def log_message(self, *_: object) -> None:
                pass

        return Handler

"""app.py over HTTP: health, cookies, headers, redirects, and the end of it all."""

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from lib.web_server import SERVED
from tests.app_server import ROOT, AppServer, forked_app, free_port
from tests.forked import Forked


@pytest.fixture
def app(bare_app: AppServer) -> AppServer:
    return bare_app


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: Message


def get(url: str, **headers: str) -> Got:
    """The answer to GET; a redirect is not followed."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=10)
    except urllib.error.HTTPError as other:
        answer = other
    with answer:
        return Got(answer.status, answer.headers)


def test_healthz_answers(app: AppServer) -> None:
    assert get(f"{app.url}/healthz").status == 200


def test_a_browser_gets_a_visitor_and_a_session_cookie_once(app: AppServer) -> None:
    first = get(app.url).headers.get_all("set-cookie") or []
    cookies = "; ".join(cookie.partition(";")[0] for cookie in first)

    assert [cookie.partition("=")[0] for cookie in first] == ["tempera_session"]
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in first)
    assert get(app.url, Cookie=cookies).headers.get_all("set-cookie") is None


def test_a_forged_cookie_is_replaced(app: AppServer) -> None:
    answer = get(app.url, Cookie="tempera_session=../../etc")

    assert len(answer.headers.get_all("set-cookie") or []) == 1


@pytest.mark.row("T4", "T9", "T19")
@pytest.mark.parametrize("path", ["/", "/healthz", "/_stcore/health"])
def test_every_answer_has_its_security_headers(app: AppServer, path: str) -> None:
    headers = get(app.url + path).headers

    assert "img-src 'self' data: blob:" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "object-src 'none'" in headers["content-security-policy"]
    assert "base-uri 'self'; form-action 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"
    assert headers["x-content-type-options"] == "nosniff"


def test_chat_leads_to_the_first_page_with_its_link(app: AppServer) -> None:
    answer = get(f"{app.url}/chat?prompt=hi&temperature=0.2")

    assert (answer.status, answer.headers["location"]) == (307, "/?prompt=hi&temperature=0.2")


def websocket_status(app: AppServer, origin: str, host: str = "") -> int:
    """What a request for the page's WebSocket is answered with; 101 opens it."""
    own = app.url.removeprefix("http://")
    lines = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host or own}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    with socket.create_connection(("127.0.0.1", int(own.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        return int(connection.recv(4096).split()[1])


def test_the_page_itself_gets_its_websocket(app: AppServer) -> None:
    assert websocket_status(app, app.url) == 101


@pytest.mark.row("T18")
def test_a_websocket_from_a_foreign_page_is_refused(app: AppServer) -> None:
    assert websocket_status(app, "http://evil.example") == 403


@pytest.mark.row("T18")
def test_a_websocket_for_a_foreign_host_name_is_refused(app: AppServer) -> None:
    """DNS rebinding."""
    assert websocket_status(app, "http://evil.example", host="evil.example") == 403


FOREIGN = ("evil.example", "evil.example:{port}", "127.0.0.1.evil.io", "10.1.2.3", "localhost@evil", "", "x" * 300)


@pytest.mark.row("T18")
def test_a_foreign_host_gets_a_sentence_and_nothing_else(app: AppServer) -> None:
    """DNS rebinding: a page of another name reads nothing, whatever the path."""
    port = app.url.rpartition(":")[2]
    for path in ("/", "/sweep", "/_stcore/metrics", "/_stcore/health", "/_stcore/host-config", "/composing.js"):
        for host in FOREIGN:
            status, headers, body = answered(app, path, host.format(port=port))
            assert status == 421, (path, host)
            assert b"Open http://localhost" in body and len(body) < 200 and b"<" not in body, (path, host)
            assert b"set-cookie" not in headers
    assert f"Open http://localhost:{port} instead".encode() in answered(app, "/", f"evil.example:{port}")[2]
    assert answered(app, "/", "evil.example", language="zh-CN")[2].decode().startswith("Tempera 不在这个名称下应答")


def test_our_own_names_are_answered_and_health_under_any(app: AppServer) -> None:
    for host in ("localhost", "127.0.0.1:1", "LOCALHOST.", "[::1]:8501"):
        assert answered(app, "/", host)[0] == 200, host
    assert answered(app, "/healthz", "10.1.2.3")[0] == 200


def answered(app: AppServer, path: str, host: str, language: str = "en") -> tuple[int, bytes, bytes]:
    """Status, headers and body of the answer to a GET under any name."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", f"Accept-Language: {language}", "Connection: close", "", "")
    with socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    headers, _, body = received.partition(b"\r\n\r\n")
    return int(headers.split()[1]), headers.lower(), body


def test_sigterm_ends_the_app(tmp_path: Path) -> None:
    with forked_app(tmp_path / "data", TEMPERA_LOCAL_MODEL="false") as app:
        app.process.send_signal(signal.SIGTERM)

        assert app.process.wait(10) in (0, -signal.SIGTERM)


def test_a_port_in_use_is_a_sentence(app: AppServer) -> None:
    port = app.url.rpartition(":")[2]
    command = [sys.executable, "scripts/start.py", port]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, timeout=30, check=False)

    assert ended.returncode != 0
    assert f"Port {port} is in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.row("T17")
def test_shared_mode_without_a_sign_in_does_not_start(tmp_path: Path) -> None:
    settings = {"TEMPERA_MODE": "shared", "TEMPERA_DATA_DIR": str(tmp_path / "data")}
    log = tmp_path / "log"
    with log.open("wb") as output:
        app = Forked("scripts/start.py", [str(free_port())], settings, {1: output.fileno(), 2: output.fileno()})

    assert app.wait(30) != 0
    assert "TEMPERA_MODE=shared needs a sign-in, and none is set" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.row("C30")
def test_each_page_has_our_scripts_and_styles_and_its_csp_lets_them_work(app: AppServer) -> None:
    """The keys of an input method; where the conversation stands; the bar across the top."""
    for path in ("/", "/sweep"):
        request = urllib.request.Request(app.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = answer.read()
            policy = answer.headers["content-security-policy"]
        assert len(page) == int(answer.headers["content-length"])
        assert page.index(b'<script src="/page.js"></script>') < page.index(b"<script", page.index(b"page.js"))
        assert "script-src 'self'" in policy

        for name in SERVED:
            assert f'"/{name}"'.encode() in page or name == "logo.svg"

    for name, kind in SERVED.items():
        part = get(f"{app.url}/{name}")
        assert (part.status, part.headers.get_content_type()) == (200, kind)

"""The gate before everything that a shared Tempera serves, over HTTP: nobody passes it who has not signed in."""

import json
import re
from collections.abc import Iterator

import pytest

from lib.access import tries
from lib.access.sign_ins import COOKIE
from lib.ui.shared.sign_in_gate import page_of_ours
from lib.web_server import SERVED
from tests.app_server import AppServer
from tests.over_http import PASSWORD, ask, shared_app, sign_in, websocket_status

CLOSED = b"\x88\x02\x03\xf0"
"""How a WebSocket says that it is closed with 1008, policy violation."""
PATHS = (
    "/", "/chat", "/sweep?prompt=hi", "/usage", "/sign-out", "/nowhere", "/healthz/", "//healthz", "/HEALTHZ",
    "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/openapi.json", "/static/js/index.js",
    "/static/../healthz", "/media/0.png", "/component/x/index.html", "/_stcore/upload_file/a/b", "/oauth2callback",
    "/auth/login", *(f"/{name}" for name in SERVED),
)  # fmt: skip
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    with shared_app(tmp_path_factory.mktemp("shared")) as app:
        yield app


@pytest.mark.row("T17")
@pytest.mark.parametrize("all_methods", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["some", "all"])
def test_nothing_but_our_health_is_told_to_who_is_not_signed_in(app: AppServer, all_methods: bool) -> None:
    """By all methods without a cookie; with a wrong one each path by one method, and by all in `make soak`."""
    assert ask(app, "GET", "/healthz").status == 200
    for cookie in ("", f"{COOKIE}=x", f"{COOKIE}={'a' * 32}", "tempera_session=" + "a" * 32):
        for number, path in enumerate(PATHS):
            for method in METHODS if all_methods or not cookie else METHODS[number % len(METHODS) :][:1]:
                got = ask(app, method, path, Cookie=cookie)
                assert got.status == 401 and "streamlit" not in got.text.lower(), (method, path, cookie)
                assert (
                    "set-cookie" not in got.headers
                    and "frame-ancestors 'none'" in got.headers["content-security-policy"]
                )
        status, connection = websocket_status(app, cookie)
        connection.close()
        assert status == 403, cookie


@pytest.mark.row("T17")
def test_the_password_lets_in_and_leads_to_the_page_that_was_asked_for(app: AppServer) -> None:
    asked = "/sweep?models=a%2Fb&prompt=%3Cb%3E%26+hi%22&temperatures=0,0.7"
    page = ask(app, "GET", asked, Accept_Language="en")
    place = re.search(r'name="place" value="([^"]*)"', page.text)
    assert page.status == 401 and place and place[1].replace("&amp;", "&") == asked

    wrong = sign_in(app, "not the password", asked, X_Forwarded_For="198.51.100.2")
    assert wrong.status == 401 and "That is not the password." in wrong.text and "set-cookie" not in wrong.headers
    assert "not the password" not in wrong.text.replace("is not the password", "")

    entered = sign_in(app, place=asked)
    assert (entered.status, entered.headers["location"]) == (303, asked)
    assert re.search(r"; HttpOnly; .*SameSite=lax", entered.headers["set-cookie"], re.I)
    assert "secure" not in entered.headers["set-cookie"].lower()
    for path in ("/", "/sweep", "/_stcore/health", "/frame.js"):
        assert ask(app, "GET", path, Cookie=entered.cookie).status == 200, path
    status, connection = websocket_status(app, entered.cookie)
    connection.close()
    assert status == 101


@pytest.mark.row("T17")
def test_behind_a_proxy_with_https_the_cookie_goes_over_https_only(app: AppServer) -> None:
    assert "; secure" in sign_in(app, X_Forwarded_Proto="https").headers["set-cookie"].lower()


@pytest.mark.row("T19")
def test_no_page_may_frame_ours_and_command_it(app: AppServer) -> None:
    cookie = sign_in(app).cookie
    for path in ("/", "/_stcore/host-config", "/sign-out", "/frame.js"):
        headers = ask(app, "GET", path, Cookie=cookie).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-frame-options"] == "DENY", path
    assert json.loads(ask(app, "GET", "/_stcore/host-config", Cookie=cookie).text)["allowedOrigins"] == []


@pytest.mark.row("T13")
def test_a_visitor_reads_no_figures_of_the_server(app: AppServer) -> None:
    cookie = sign_in(app).cookie
    for path in ("/_stcore/metrics", "/_stcore/metrics?families=session_events", "/_stcore/metrics/"):
        assert ask(app, "GET", path, Cookie=cookie).status == 404, path


def test_it_answers_under_the_names_that_the_operator_sets(app: AppServer) -> None:
    for host, status in (("tempera.example.com", 401), ("127.0.0.1:1", 401), ("evil.example", 421), ("localhost", 421)):
        assert ask(app, "GET", "/", Host=host).status == status, host


@pytest.mark.row("T17")
def test_a_sign_in_leads_to_our_own_pages_only(app: AppServer) -> None:
    elsewhere = (
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/@evil", "/sweep/../../evil", "/%2f/evil.example", "/sign-out", "/usage\r\nSet-Cookie: a=b", "/?a\nb", " /",
        "", "/sweep#//e", "/.evil.example", "http:/evil", "/sweep\x00",
    )  # fmt: skip
    for place in elsewhere:
        assert page_of_ours(place) == "/", place
    for place in ("/", "/chat?prompt=hi", "/sweep?a=//evil.example", "/usage"):
        assert page_of_ours(place) == place
    for place in elsewhere[:5]:
        assert sign_in(app, place=place).headers["location"] == "/", place


@pytest.mark.row("T17", "T18")
def test_no_foreign_page_signs_anybody_in_or_out(app: AppServer) -> None:
    cookie = sign_in(app).cookie
    for origin in ("http://evil.example", "null"):
        assert sign_in(app, Origin=origin).status == 403
        assert ask(app, "POST", "/sign-out", "", Origin=origin, Cookie=cookie).status == 403
    assert ask(app, "GET", "/sign-out", Cookie=cookie).status == 200, "a link to it only asks"
    assert ask(app, "GET", "/", Cookie=cookie).status == 200
    assert sign_in(app, Origin=app.url).status == 303


@pytest.mark.row("T17")
def test_signing_out_ends_what_is_open(app: AppServer) -> None:
    """The cookie is of no use any more, and the WebSocket of another tab is closed with the next message."""
    cookie, other = sign_in(app).cookie, sign_in(app).cookie
    status, connection = websocket_status(app, cookie)
    assert status == 101
    left = ask(app, "POST", "/sign-out", "", Cookie=cookie, Origin=app.url)

    assert (left.status, left.headers["location"]) == (303, "/") and f'{COOKIE}=""' in left.headers["set-cookie"]
    assert ask(app, "GET", "/", Cookie=cookie).status == 401
    connection.sendall(b"\x82\x80\x00\x00\x00\x00")  # an empty message
    with connection:
        received = b""
        while not received.endswith(CLOSED):
            more = connection.recv(1)
            assert more, "ended without a word"
            received += more
        connection.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xf0")  # else the server would wait 10 s for our own
        assert connection.recv(1) == b""
    assert ask(app, "GET", "/", Cookie=other).status == 200


@pytest.mark.row("T17")
def test_guessing_is_slowed_by_the_address_that_the_proxy_tells(app: AppServer) -> None:
    for _ in range(tries.OF_ONE[0].amount):
        assert sign_in(app, "a guess", X_Forwarded_For="6.6.6.6, 198.51.100.7").status == 401
    refused = sign_in(app, PASSWORD, X_Forwarded_For="7.7.7.7, 198.51.100.7")

    assert refused.status == 429 and "There were too many tries." in refused.text and "Try again in" in refused.text
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert sign_in(app, X_Forwarded_For="198.51.100.8").status == 303


def test_the_page_to_sign_in_at_speaks_two_languages_and_asks_nobody_else(app: AppServer) -> None:
    for language, words in (("en-GB", "Whoever invited you"), ("zh-CN,zh;q=0.9", "邀请你的人")):
        page = ask(app, "GET", "/", Accept_Language=language)
        assert words in page.text and page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text and not re.search(r"(src|href)=\"(?!data:)", page.text)
        assert "light-dark(" in page.text and not re.search(r"url\(|@import", page.text)
    assert 'lang="zh-Hans"' in page.text


def test_a_form_that_is_none_is_a_wrong_password(app: AppServer) -> None:
    for number, body in enumerate(
        ("", "password", "&" * 50, "password=%ff%fe", "place=/usage", "\x00" * 9, "a=1&" * 99)
    ):
        got = ask(app, "POST", "/sign-in", body, X_Forwarded_For=f"192.0.2.{number}")
        assert got.status == 401, body
    assert ask(app, "POST", "/sign-in", "password=" + "x" * 600_000, X_Forwarded_For="192.0.2.99").status == 401

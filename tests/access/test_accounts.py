"""Signing in with an account, at a real OpenID provider: who is invited, what is kept of it, where one comes out."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from lib.access.invited import Invited, mail_of
from lib.access.sign_ins import COOKIE
from lib.core.errors import NotInvited, SettingsError
from lib.services import Services
from lib.settings import Settings
from tests.accounts import app_with_accounts, provider
from tests.app_server import AppServer

PEOPLE: list[dict[str, Any]] = [
    {"sub": "ada", "email": "Ada@example.com", "email_verified": True},
    {"sub": "bob", "email": "bob@guests.example.org"},
    {"sub": "eve", "email": "eve@elsewhere.example"},
    {"sub": "mallory", "email": "mallory@guests.example.org", "email_verified": False},
    {"sub": "nobody"},
]
INVITED = "ada@example.com, @guests.example.org"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    with provider(PEOPLE) as address, app_with_accounts(tmp_path_factory.mktemp("accounts"), address, INVITED) as app:
        yield app


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A browser without a page: it keeps cookies, and follows nothing by itself."""
    with httpx.Client(trust_env=False, timeout=60) as http:
        yield http


def sign_in(http: httpx.Client, app: AppServer, sub: str, place: str = "/") -> httpx.Response:
    """The answer in which a sign-in as `sub` ends."""
    to_login = http.get(f"{app.url}/sign-in/account", params={"place": place})
    assert to_login.status_code == 303, to_login.text
    to_provider = http.get(urljoin(app.url, to_login.headers["location"]))
    assert to_provider.status_code == 302, to_provider.text
    back = http.post(to_provider.headers["location"], data={"sub": sub})
    called = http.get(back.headers["location"])
    assert (called.status_code, called.headers["location"]) == (302, "/")
    return http.get(app.url)


@pytest.mark.row("T17")
def test_who_is_invited_comes_in_and_out_at_the_page_that_was_asked_for(app: AppServer, http: httpx.Client) -> None:
    asked = "/sweep?models=a%2Fb&prompt=%3Cb%3E%26+hi%22"
    page = http.get(app.url + asked)
    assert page.status_code == 401 and "Sign in with your account" in page.text and 'name="password"' not in page.text
    end = sign_in(http, app, "ada", asked)

    assert (end.status_code, end.headers["location"]) == (303, asked)
    assert [cookie.name for cookie in http.cookies.jar if "streamlit" in cookie.name or "place" in cookie.name] == []
    assert http.get(f"{app.url}/_stcore/health").status_code == 200
    out = http.get(f"{app.url}/sign-out")
    assert "You are signed in as ada@example.com." in out.text
    cookie = http.cookies[COOKIE]
    left = http.post(f"{app.url}/sign-out")
    assert left.status_code == 200 and "is still signed in at its provider" in left.text
    assert http.get(app.url).status_code == 401
    [there] = re.findall(r'href="(http[^"]+)"', left.text)
    at_provider = http.get(unescape(there))
    assert at_provider.status_code == 200 and "/oauth2/end_session" in there
    assert parse_qs(urlsplit(unescape(there)).query)["post_logout_redirect_uri"] == [f"{app.url}/oauth2callback"]
    assert http.get(f"{app.url}/oauth2callback").headers["location"] == "/", "where the provider leads back to"
    assert http.get(app.url, headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 401
    assert sign_in(http, app, "bob", "//evil.example").headers["location"] == "/"


@pytest.mark.row("T17")
def test_who_is_not_invited_or_not_verified_is_told_and_stays_out(app: AppServer, http: httpx.Client) -> None:
    for sub, mail in (("eve", "eve@elsewhere.example"), ("mallory", "mallory@guests.example.org"), ("nobody", "?")):
        end = sign_in(http, app, sub, "/usage")
        assert end.status_code == 401 and f"{mail} may not sign in here." in end.text, sub
        assert COOKIE not in http.cookies and not [one for one in http.cookies if "streamlit" in one]
        assert http.get(app.url).status_code == 401


@pytest.mark.row("T17")
def test_a_sign_in_that_does_not_come_to_its_end_is_said(app: AppServer, http: httpx.Client) -> None:
    http.get(f"{app.url}/sign-in/account", params={"place": "/usage"})
    http.get(f"{app.url}/oauth2callback", params={"code": "x", "state": "y"})
    end = http.get(app.url)

    assert end.status_code == 401 and "the sign-in did not come to its end" in end.text
    assert "place=%2Fusage" in end.text
    assert "did not come to its end" not in http.get(app.url).text


@pytest.mark.row("T17")
def test_nothing_else_lets_in(app: AppServer, http: httpx.Client) -> None:
    assert http.post(f"{app.url}/sign-in", data={"password": ""}).status_code == 401
    for path in ("/", "/auth/logout", "/auth/login/x", "/_stcore/health", "/frame.js", "/oauth2callback/"):
        assert http.get(app.url + path).status_code == 401, path
    assert http.post(f"{app.url}/auth/login").status_code == 401
    for name, value in (("_streamlit_user", '{"email": "ada@example.com"}'), (COOKIE, "ada@example.com")):
        headers = {"Cookie": f"tempera_place=/; {name}={value}"}
        assert http.get(app.url, headers=headers).status_code == 401, name


@pytest.mark.row("T17")
def test_the_claims_of_a_token_are_looked_at_one_by_one() -> None:
    invited = Invited(INVITED.split(","))
    good = {"email": "Ada@example.com", "exp": 100}
    assert mail_of(good, invited, 99) == "ada@example.com"
    assert mail_of(good | {"email": "X@guests.example.org", "email_verified": True}, invited, 99.5)
    for change in (
        {"exp": 99}, {"exp": None}, {"exp": "100"}, {"email": None}, {"email": ["ada@example.com"]},
        {"email": "ada@example.com@evil.example"}, {"email": "evil@sub.guests.example.org"}, {"email": "ada"},
        {"email": "@guests.example.org@guests.example.org"}, {"email": "ada@example.com\n"}, {"email": ""},
        {"email_verified": False}, {"email_verified": None}, {"email_verified": "false"},
    ):  # fmt: skip
        with pytest.raises(NotInvited):
            mail_of(good | change, invited, 99)
    assert not Invited([""]) and not Invited([" ", " "])


@pytest.mark.row("T17")
def test_accounts_without_anybody_invited_do_not_start(tmp_path: Path) -> None:
    auth = dict.fromkeys(("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"), "x")
    settings = Settings.model_validate({"mode": "shared", "auth": auth, "data_dir": tmp_path / "data"})
    with pytest.raises(SettingsError, match="nobody is invited"):
        Services.open(settings)

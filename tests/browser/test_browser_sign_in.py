"""Signing in to a shared Tempera in a browser: a link is kept, nothing goes elsewhere, no key comes along, and tabs end
together."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner
from playwright.sync_api import BrowserContext, Page, Response, WebSocket, expect

from lib.access.invited import Invited
from lib.access.sign_ins import COOKIE, SignIns
from lib.store.database import Store
from tests.accounts import app_with_accounts, hash_of, provider
from tests.app_server import forked_app
from tests.browsing import heard_elsewhere, key, new_tab, send
from tests.fake_api import FakeApi
from tests.key_forms import forms_of
from tests.pages import host
from tests.proxy import Proxy

PASSWORD = "four unrelated words"
OPERATORS = "sk-canary-of-the-operator-4711-not-for-browsers"


def everything_received(*pages: Page) -> list[bytes]:
    """From now on: bodies, headers and addresses of answers, and what comes and goes over WebSockets."""
    received: list[bytes] = []

    def took(answer: Response) -> None:
        received.append(repr((answer.url, answer.all_headers())).encode())
        if answer.status == 200 and "/static/" not in answer.url:
            received.append(answer.body())

    def opened(socket: WebSocket) -> None:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda frame: received.append(frame if isinstance(frame, bytes) else frame.encode()))  # type: ignore[call-overload]

    for page in pages:
        page.on("response", took)
        page.on("websocket", opened)
    return received


def kept(context: BrowserContext, pages: Iterable[Page]) -> list[bytes]:
    """Cookies, storage and documents."""
    storage = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"
    texts = [text for page in pages for text in (page.evaluate(storage), page.content(), page.url)]
    return [text.encode() for text in (repr(context.cookies()), *texts)]


@pytest.mark.row("T1", "T9", "T17")
@pytest.mark.soak
def test_a_link_is_kept_through_the_sign_in_no_key_comes_along_and_a_sign_out_ends_every_tab(
    context: BrowserContext, front: Proxy, tmp_path: Path, api: FakeApi
) -> None:
    settings = {"TEMPERA_MODE": "shared", "TEMPERA_PASSWORD_HASH": hash_of(PASSWORD)}
    before = len(api.requests)
    service = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": OPERATORS, "TEMPERA_LOCAL_MODEL": "false"}
    with forked_app(tmp_path / "data", **settings, **service) as running:
        app = front.lead_to(running)
        page, other = new_tab(context), context.new_page()
        received = everything_received(page, other)
        heard = heard_elsewhere(page, app)
        page.goto(f"{app.url}/?prompt=Hello+%3Cthere%3E&model={host(api)}/error-401")
        field = page.get_by_label("Password")
        expect(field).to_be_focused()
        field.fill("not the password")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That is not the password.")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("Hello <there>")

        # The service repeats the key in its refusal.
        send(page, "Hello <there>")
        expect(page.get_by_text("does not accept this key")).to_be_visible()
        key(page, "figures_0").get_by_role("button").click()
        key(page, "inspect_0").get_by_role("button").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.reload()
        key(page, "connection_open").get_by_role("button").click()
        expect(page.get_by_text("set by whoever runs this Tempera")).to_be_visible()
        page.reload()
        expect(key(page, "chat_new")).to_be_visible()

        other.bring_to_front()
        other.goto(f"{app.url}/sweep?models={host(api)}/echo&temperatures=0&prompt=Hi&repeats=1")
        key(other, "sweep_run").get_by_role("button").click()
        expect(key(other, "sweep_grid").locator("[data-cell]").first).to_be_visible()
        other.goto(f"{app.url}/usage")
        expect(key(other, "usage_scope")).to_be_visible()
        assert any(b"framereceived" not in one and b"does not accept this key" in one for one in received)
        seen = [*received, *kept(context, (page, other))]
        assert [form for form in forms_of(OPERATORS) if any(form in one for one in seen)] == []
        assert {one.authorization[-4:] for one in api.requests[before:]} == {OPERATORS[-4:]}

        key(other, "menu").get_by_role("button").click()
        key(other, "sign_out").get_by_role("link").click()
        expect(other.get_by_text("nobody can open them again")).to_be_visible()
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_label("Password")).to_be_visible()
        # The first tab learns of it by itself.
        page.bring_to_front()
        expect(page.get_by_label("Password")).to_be_visible()
        assert heard == []


@pytest.mark.row("T17")
@pytest.mark.soak
def test_an_account_signs_in_to_a_link_again_after_its_time_and_out_in_every_tab(
    context: BrowserContext, front: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, ada = "a secret of this test, of thirty-two and more", "ada@example.com"
    people = [{"sub": "ada", "email": ada, "email_verified": True}]
    with (
        provider(people) as address,
        app_with_accounts(tmp_path, address, "@example.com", front.url, TEMPERA_COOKIE_SECRET=secret) as running,
    ):
        app = front.lead_to(running)
        page = new_tab(context)

        def sign_in() -> None:
            page.get_by_role("link", name="Sign in with your account").click()
            field = page.locator("input[name=sub]").first
            field.fill("ada")
            field.press("Enter")

        page.goto(f"{app.url}/?prompt=Hello+%3Cthere%3E")
        sign_in()
        expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("Hello <there>")

        with monkeypatch.context() as earlier:
            earlier.setattr(TimestampSigner, "get_timestamp", lambda _: 1_000_000_000)
            known = SignIns("", secret, 1, Store.in_memory(), Invited([ada]))
            old = known.enter_with_account({"email": ada, "exp": 10**10})
        context.add_cookies([{"name": COOKIE, "value": old, "url": app.url}])
        page.goto(f"{app.url}/usage?span=all")
        expect(page.get_by_role("link", name="Sign in with your account")).to_be_visible()
        sign_in()
        expect(key(page, "usage_scope")).to_be_visible()
        assert "/usage" in page.url

        other = context.new_page()
        other.goto(f"{app.url}/sign-out")
        expect(other.get_by_text(f"You are signed in as {ada}.")).to_be_visible()
        other.get_by_role("button", name="Sign out").click()
        other.get_by_role("link", name="Sign out there too").click()
        expect(other).to_have_url(re.compile(f"^{re.escape(address)}/oauth2/end_session"))
        page.bring_to_front()
        expect(page.get_by_role("link", name="Sign in with your account")).to_be_visible()

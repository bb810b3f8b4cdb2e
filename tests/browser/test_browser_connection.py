"""The connection's dialog in Chromium: whichever way a key is put in, it arrives; and no hand has to leave the keys."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lib.ui.shared.connection_form import TEST_SECONDS
from tests.app_server import AppServer, forked_app
from tests.browsing import NewChat, asked, composer, ended, key, open_page, press_until, send
from tests.fake_api import FakeApi
from tests.proxy import Proxy

Way = tuple[str, Callable[[Page, str], object], Callable[[Page], object]]
"""What it is called, how a key is put in, and how the field is left."""
BY_SCRIPT = """(field, [text, event]) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event(event, { bubbles: true }));
}"""


SLOW_TO_GO = """() => {
    const dialog = document.createElement("div");
    dialog.setAttribute("role", "dialog");
    document.body.append(dialog);
    setTimeout(() => dialog.remove(), 3000);
}"""
"""As on a busy computer, where a dialog goes well after it was told to."""


def open_dialog(page: Page) -> None:
    """Open the connection's dialog by its keys."""
    expect(key(page, "connection_open")).to_be_visible()
    press_until(page, "Control+K", key(page, "connection_key"))
    expect(key(page, "connection_key").locator("input")).to_be_focused()


def typed(page: Page, text: str) -> None:
    page.keyboard.type(text)


def pasted(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+V")


def filled(event: str) -> Callable[[Page, str], None]:
    """As a password manager does."""
    return lambda page, text: key(page, "connection_key").locator("input").evaluate(BY_SCRIPT, [text, event])


def pressed(*keys: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        for one in keys:
            page.keyboard.press(one)

    return press


def eye(page: Page) -> None:
    within = key(page, "connection_key")
    within.get_by_role("button", name="Show the key").click()
    within.get_by_role("button", name="Hide the key").click()
    expect(within.get_by_role("button", name="Show the key")).to_be_visible()
    button(page)


def elsewhere(page: Page) -> None:
    page.get_by_role("dialog").get_by_text("Connect another one").click()
    button(page)


def button(page: Page) -> None:
    key(page, "connection_save").get_by_role("button").click()


TAB_TO_CONNECT = pressed("Tab", "Tab", "Enter")
WAYS = [
    ("typed, Tab to Connect", typed, TAB_TO_CONNECT),
    ("by a password manager that tells only of the change", filled("change"), button),
    ("typed, the eye", typed, eye),
    ("pasted, Enter", pasted, pressed("Enter")),
    ("typed, Enter", typed, pressed("Enter")),
    ("typed, Tab, then a click", typed, lambda page: (page.keyboard.press("Tab"), button(page))),
    ("typed, Shift+Tab, Enter in the address", typed, pressed("Shift+Tab", "Enter")),
    ("typed, a click on Connect", typed, button),
    ("typed, a click elsewhere", typed, elsewhere),
    ("pasted, Tab to Connect", pasted, TAB_TO_CONNECT),
    ("by a password manager", filled("input"), button),
]


@pytest.mark.row("X2")
@pytest.mark.soak
def test_a_key_arrives_whichever_way_it_is_put_in_and_left(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    """Left by Tab it was lost, seven times of seven: Streamlit's password field tells of its text when it is left, but
    not when its own eye is what comes next."""
    page = open_page(context, app.url)
    for number, (name, put_in, leave) in enumerate(WAYS):
        open_dialog(page)
        key(page, "connection_base_url").locator("input").fill(api.base_url)
        key(page, "connection_key").locator("input").focus()
        before, own = len(api.requests), f"sk-put-in-{number:04}"
        put_in(page, own)
        leave(page)
        expect(page.get_by_role("dialog"), name).not_to_be_attached()

        keys = {one.authorization for one in api.requests[before:] if one.path == "/v1/models"}
        assert keys == {f"…{own[-4:]}"}, name
        expect(page.get_by_text("is connected"), name).to_be_visible()
        expect(page.get_by_text("No key was sent"), name).not_to_be_attached()


@pytest.mark.row("X2")
def test_a_key_left_by_tab_arrives_and_a_service_that_does_not_answer_can_be_left_at_once(chat: NewChat) -> None:
    page = chat("echo")
    with FakeApi() as mute:
        mute.script_models(600.0)
        open_dialog(page)
        key(page, "connection_base_url").locator("input").fill(mute.base_url)
        key(page, "connection_key").locator("input").focus()
        typed(page, "sk-of-someone-patient")
        TAB_TO_CONNECT(page)
        mute.wait(lambda api: api.requests, seconds=60)
        assert {one.authorization for one in mute.requests} == {"…ient"}
        page.get_by_role("dialog").get_by_role("button", name="Close").click()

        mute.wait(lambda api: all(one.closed_by_client for one in api.requests), seconds=TEST_SECONDS / 2)
        expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.row("X1", "X2", "T4")
def test_a_key_takes_three_actions_at_the_keyboard_survives_a_reload_and_is_nowhere_to_be_seen(
    api: FakeApi, context: BrowserContext, front: Proxy, tmp_path: Path
) -> None:
    """1. Ctrl+K opens the dialog. 2. The key and Enter. 3. The question and Enter."""
    with forked_app(tmp_path / "data", TEMPERA_BASE_URL=api.base_url, TEMPERA_LOCAL_MODEL="false") as keyless:
        page = open_page(context, front.lead_to(keyless).url)

        open_dialog(page)
        page.keyboard.type("sk-of-three-actions-9999")
        page.evaluate(SLOW_TO_GO)
        page.keyboard.press("Enter")
        expect(composer(page)).to_be_focused()
        page.keyboard.type("three actions")
        page.keyboard.press("Enter")

        expect(key(page, "answer_0")).to_contain_text("You said: three actions")
        assert [one.authorization for one in asked(api, "three actions")] == ["…9999"]

        page.reload()
        send(page, "after the reload")
        expect(key(page, "answer_1")).to_contain_text("You said: after the reload")
        stored = json.dumps(context.storage_state())
        assert "actions-9999" not in page.content() + page.url + stored
        assert b"actions-9999" not in keyless.log.read_bytes()


@pytest.mark.soak
def test_what_is_said_of_the_connection_leaves_room_for_the_question_that_waited_for_it(
    api: FakeApi, context: BrowserContext, tmp_path: Path
) -> None:
    with forked_app(tmp_path / "data", TEMPERA_LOCAL_MODEL="false") as bare:
        page = open_page(context, bare.url)
        send(page, "it waits for a service")
        key(page, "connection_base_url").locator("input").fill(api.base_url)
        key(page, "connection_key").locator("input").fill("sk-of-who-asked-first")
        key(page, "connection_key").locator("input").press("Enter")
        ended(page)

        said = page.get_by_text("is connected").bounding_box()
        question = page.get_by_text("it waits for a service", exact=True).first.bounding_box()
        assert said and question and said["y"] + said["height"] <= question["y"]

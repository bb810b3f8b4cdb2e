"""The main job in a real browser: the first answer without a key, Stop, reload, and links."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lib.ui.shared.live_text import CURSOR
from tests.app_server import AppServer, forked_app
from tests.browsing import (
    CLIPBOARD_BECOMES,
    NewChat,
    asked,
    at_rest,
    composer,
    ended,
    forget_visitor,
    key,
    link,
    open_page,
    send,
)
from tests.fake_api import FakeApi
from tests.proxy import Proxy


@pytest.mark.row("C1", "C32")
def test_a_stranger_types_and_gets_an_answer_without_a_key(practice: AppServer, context: BrowserContext) -> None:
    page = open_page(context, f"{practice.url}/?max_tokens=24")
    expect(page.get_by_text("A tiny free model on this computer")).to_be_visible()
    send(page, "What is the capital of France?")
    ended(page)

    expect(key(page, "answer_0")).to_contain_text(re.compile(r"\w{3,}"))
    key(page, "figures_0").get_by_role("button").click()
    expect(key(page, "panel_0")).to_contain_text("counted by the service")


@pytest.mark.row("C13")
@pytest.mark.soak
def test_the_practice_model_gives_alternatives(practice: AppServer, context: BrowserContext) -> None:
    page = open_page(context, f"{practice.url}/?n=2&max_tokens=12&prompt=Hello")
    composer(page).press("Enter")
    ended(page)

    expect(key(page, "answer_0_0")).not_to_be_empty()
    expect(key(page, "answer_0_1")).not_to_be_empty()
    expect(key(page, "answer_0")).not_to_be_empty()


@pytest.mark.row("C3")
def test_stop_ends_the_request_at_once_and_keeps_the_text(api: FakeApi, chat: NewChat) -> None:
    page = chat("held")
    send(page, "stop me")
    expect(key(page, "answer_0")).to_contain_text("You said")
    place = key(page, "chat_stop").bounding_box()
    assert place
    key(page, "chat_stop").get_by_role("button").click()
    request = asked(api, "stop me")[0]
    api.wait(lambda _: request.closed_by_client)

    assert request.finished is None
    ended(page)
    expect(key(page, "chat_edit_last")).to_be_visible()
    there = [place["x"] + place["width"] / 2, place["y"] + place["height"] / 2]
    pressed = "([x, y]) => document.elementFromPoint(x, y).closest('button, a, summary') !== null"
    assert not page.evaluate(pressed, there), "a second press that was meant for Stop"
    expect(key(page, "answer_0")).to_contain_text("You said")
    expect(key(page, "figures_0")).to_contain_text("stopped by you")
    expect(key(page, "chat_continue")).to_be_visible()


@pytest.mark.row("C3", "C30")
@pytest.mark.soak
def test_escape_stops_a_silent_service(api: FakeApi, chat: NewChat) -> None:
    page = chat("silent")
    send(page, "say nothing")
    expect(page.get_by_text("Reading your text")).to_be_visible()
    composer(page).press("Escape")
    request = asked(api, "say nothing")[0]
    api.wait(lambda _: request.closed_by_client)
    expect(page.get_by_text("Stopped by you before anything had come.")).to_be_visible()

    ended(page)


@pytest.mark.row("C19", "C20", "C31")
def test_a_reload_costs_neither_the_answer_nor_what_waits_for_its_end(api: FakeApi, chat: NewChat) -> None:
    text = "keep going word by word to the end"
    page = chat("held")
    send(page, text)
    expect(key(page, "answer_0")).to_contain_text("keep going")
    for later in ("one", "two"):
        send(page, later)
        expect(key(page, "chat_waiting")).to_contain_text(later)
    page.reload()
    expect(key(page, "answer_0")).to_contain_text("keep going")
    expect(composer(page)).to_have_value("one\n\ntwo")
    api.go_on()
    ended(page)

    expect(key(page, "answer_0")).to_contain_text(f"You said: {text}")
    assert len(asked(api, text)) == 1 and not asked(api, "one")


@pytest.mark.row("C19", "C20")
@pytest.mark.soak
def test_a_closed_tab_comes_back_with_the_whole_answer(app: AppServer, api: FakeApi, context: BrowserContext) -> None:
    text = "while you were away"
    page = open_page(context, link(app, "held"))
    send(page, text)
    expect(key(page, "answer_0")).to_contain_text("You said")
    page.close()
    api.go_on()
    api.wait(lambda _: asked(api, text)[0].finished)
    page = open_page(context, app.url)

    expect(key(page, "answer_0")).to_contain_text(f"You said: {text}")
    assert len(asked(api, text)) == 1


@pytest.mark.row("C31")
def test_what_is_sent_meanwhile_waits_and_what_is_open_or_half_typed_stays(api: FakeApi, chat: NewChat) -> None:
    page = chat("held")
    send(page, "first")
    expect(key(page, "answer_0")).to_contain_text("You said")
    send(page, "second")
    expect(key(page, "chat_waiting")).to_contain_text("second")
    at_rest(page)
    composer(page).fill("third, and no end of it")
    key(page, "chat_beside_open").get_by_role("button").click()
    api.go_on()
    expect(key(page, "answer_1")).to_contain_text("You said:")
    api.go_on()
    ended(page)
    expect(key(page, "answer_1")).to_contain_text("You said: second")
    expect(page.get_by_text("Ask these models the same")).to_be_visible()
    assert len(asked(api, "second")) == 1

    page.keyboard.press("Escape")
    composer(page).press("Enter")
    expect(key(page, "answer_2")).to_contain_text("You said: third")
    key(page, "chat_templates_open").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("summary").click()
    key(page, "chat_template_name").locator("input").press_sequentially("half-typed")
    api.go_on()
    expect(key(page, "answer_2")).to_contain_text("third, and no end of it")
    expect(key(page, "answer_2")).not_to_contain_text(CURSOR)
    expect(key(page, "chat_template_name").locator("input")).to_have_value("half-typed")
    expect(key(page, "chat_stop")).to_be_attached()
    page.keyboard.press("Escape")
    ended(page)
    expect(dialog).to_have_count(0)


@pytest.mark.row("C22")
@pytest.mark.soak
def test_a_link_is_the_first_thing_a_new_visitor_opens(app: AppServer, context: BrowserContext) -> None:
    page = open_page(context, f"{app.url}/chat?model=echo&system=Be%20brief&prompt=Hello%20there&temperature=0.2")

    expect(composer(page)).to_have_value("Hello there")
    expect(key(page, "answer_0")).not_to_be_attached()
    key(page, "chat_settings").locator("summary").first.click()
    expect(key(page, "chat_system").locator("textarea")).to_have_value("Be brief")
    composer(page).press("Enter")
    expect(key(page, "answer_0")).to_contain_text("You said: Hello there")


@pytest.mark.row("C17", "C24", "T9")
def test_an_answer_is_copied_to_the_letter_loads_no_image_and_its_numbers_lead_to_its_code(
    api: FakeApi, chat: NewChat
) -> None:
    """Whatever Markdown, LaTeX or Streamlit's own signs would make of it; by one press. From the numbers a dialog leads
    into another, which only a browser does as it is: there a press in a dialog runs that alone."""
    beacon = api.base_url.replace("/v1", "/beacon.png")
    text = rf"**bold**, $x$, \(y\), :red[z], <b>w</b>, ![v]({beacon}) and <img src={beacon}>"
    page = chat("echo")
    send(page, text)
    ended(page)
    assert [request for request in api.requests if "beacon" in request.path] == []
    assert key(page, "answer_0").locator("img").count() == 0

    copied(page, f"You said: {text}")
    at_rest(page)
    key(page, "figures_0").get_by_role("button").click()
    key(page, "inspect_0").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("curl")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def copied(page: Page, text: str) -> None:
    """Press what copies the answer until `text` is in the clipboard."""
    copy, box = key(page, "copy_0").get_by_role("button").first, page.get_by_test_id("stCode")
    for _attempt in range(5):
        copy.click()
        expect(box).to_contain_text(text)
        # A browser lets a press copy for five seconds, and a busy machine needs longer for the text.
        if page.evaluate(CLIPBOARD_BECOMES, text):
            return
        copy.click()
        expect(box).to_have_count(0)
    raise AssertionError("it was never copied")


@pytest.mark.row("C18")
@pytest.mark.soak
def test_another_browser_on_this_computer_finds_the_chat(
    app: AppServer, context: BrowserContext, chat: NewChat
) -> None:
    """There is one person here, whatever the browser: nothing is lost with a cookie."""
    page = chat("echo")
    send(page, "found again")
    ended(page)
    forget_visitor(context, app.url)
    other = open_page(context, app.url)

    other.get_by_test_id("stSidebar").get_by_role("button", name="found again").first.click()
    expect(key(other, "answer_0")).to_contain_text("You said: found again")


@pytest.mark.row("C19")
@pytest.mark.soak
def test_a_kill_in_the_middle_keeps_what_had_come(
    api: FakeApi, settings: dict[str, str], context: BrowserContext, front: Proxy, tmp_path: Path
) -> None:
    text = "before the cut " + "word " * 400
    with forked_app(tmp_path / "data", **settings) as running:
        page = open_page(context, link(front.lead_to(running), "slow-50"))
        send(page, text)
        expect(key(page, "answer_0")).to_contain_text("before the cut " + "word " * 30)
        running.kill()
    with forked_app(tmp_path / "data", **settings) as running:
        page = open_page(context, front.lead_to(running).url)
        expect(key(page, "answer_0")).to_contain_text("You said: before the cut word")
        expect(key(page, "figures_0")).to_contain_text("cut by a restart")

    assert len(asked(api, text)) == 1

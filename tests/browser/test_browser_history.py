"""Between chats in a real browser: Back and Forward, drafts, pasted texts, the tab's title, the drawer of a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer
from tests.browsing import NewChat, asked, bring_in, composer, ended, key, link, open_page, press_until, send
from tests.fake_api import FakeApi

PASTE = """([selector, text]) => {
    const area = document.querySelector(selector), data = new DataTransfer();
    data.setData("text/plain", text);
    area.focus();
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
HIDDEN = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def go(page: Page, name: str) -> None:
    """Press a button of the page."""
    key(page, name).get_by_role("button").click()


def open_chat(page: Page) -> str:
    """The id of the open chat, as the address has it."""
    page.wait_for_url("**/?chat=*")
    return page.url.rpartition("=")[2]


@pytest.mark.row("C18", "C42")
@pytest.mark.soak
def test_back_and_forward_go_between_chats_and_pages(chat: NewChat) -> None:
    page = chat("echo")
    send(page, "first of two")
    ended(page)
    first = open_chat(page)
    go(page, "chat_new")
    page.wait_for_url(lambda url: "chat=" not in url)
    send(page, "second of two")
    ended(page)
    second = open_chat(page)
    go(page, f"chat_open_{first}")
    expect(key(page, "answer_0")).to_contain_text("first of two")
    page.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()

    page.go_back()
    expect(key(page, "answer_0")).to_contain_text("first of two")
    page.go_back()
    expect(key(page, "answer_0")).to_contain_text("second of two")
    assert open_chat(page) == second
    page.go_back()
    expect(key(page, "chat_empty")).to_be_visible()
    page.go_forward()
    expect(key(page, "answer_0")).to_contain_text("second of two")
    page.go_forward()
    expect(key(page, "answer_0")).to_contain_text("first of two")
    page.go_forward()
    expect(key(page, "usage_scope")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    expect(key(page, "answer_0")).to_contain_text("first of two")


@pytest.mark.row("C18", "C42")
@pytest.mark.soak
def test_a_chat_is_renamed_with_the_keyboard_and_is_there_after_a_reload(
    app: AppServer, context: BrowserContext
) -> None:
    page = open_page(context, link(app, "echo"))
    send(page, "called otherwise")
    ended(page)
    first = open_chat(page)
    key(page, f"chat_menu_{first}").get_by_role("button").click()
    page.get_by_text("Rename").click()
    expect(key(page, "chat_rename").locator("input")).to_be_focused()
    page.keyboard.type("Renamed")
    page.keyboard.press("Enter")
    expect(key(page, f"chat_open_{first}")).to_contain_text("Renamed")
    page.reload()
    expect(key(page, "answer_0")).to_contain_text("called otherwise")
    assert open_chat(page) == first
    page.goto(f"{app.url}/?chat=nobody")
    expect(key(page, "chat_missing")).to_contain_text("There is no such chat here.")


@pytest.mark.row("C43")
@pytest.mark.soak
def test_a_draft_survives_a_page_change_and_a_reload_but_not_in_a_temporary_chat(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    page = open_page(context, link(app, "echo"))
    composer(page).fill("half a thought 一半")
    page.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    expect(composer(page)).to_have_value("half a thought 一半")
    page.reload()
    expect(composer(page)).to_have_value("half a thought 一半")
    composer(page).press("Enter")
    expect(key(page, "answer_0")).to_contain_text("half a thought")
    ended(page)
    page.wait_for_function("sessionStorage.getItem('draft') === null")
    page.reload()
    expect(key(page, "answer_0")).to_contain_text("half a thought")
    expect(composer(page)).to_have_value("")

    go(page, "chat_new_temporary")
    expect(key(page, "chat_temporary")).to_be_visible()
    composer(page).fill("between us")
    page.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()
    assert "between us" not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")


@pytest.mark.row("C44")
def test_a_long_paste_goes_along_as_a_file_and_a_short_one_stays_text(chat: NewChat, api: FakeApi) -> None:
    page = chat("echo")
    composer(page).fill("What is this?")
    long = "line of a report\n" * 300
    page.evaluate(PASTE, ["[data-testid=stChatInputTextArea]", long])
    expect(page.get_by_text("pasted.txt")).to_be_visible()
    expect(composer(page)).to_have_value("What is this?")
    press_until(page, "Enter", key(page, "chat_regenerate"))  # nothing is sent until the file is there
    whole = f'What is this?\n\n<attachment name="pasted.txt">\n{long}\n</attachment>'
    assert len(asked(api, whole)) == 1
    folded = key(page, "attachment_0_0")
    expect(folded).to_contain_text("pasted.txt · 5,100 characters")
    expect(folded.get_by_test_id("stCode")).not_to_be_visible()
    folded.locator("summary").click()
    expect(folded.get_by_test_id("stCode")).to_contain_text("line of a report")


@pytest.mark.row("C45")
def test_while_an_answer_is_written_what_is_done_with_is_gone_and_the_tab_says_when_it_ended_out_of_sight(
    chat: NewChat, api: FakeApi
) -> None:
    """The first page's invitation is not left standing, greyed, until the answer ends; and a figure that does not grow
    with the answer says so."""
    page = chat("held")
    expect(page).to_have_title("Tempera")
    send(page, "take your time")
    expect(key(page, "answer_0")).to_contain_text("You said")
    expect(key(page, "chat_empty")).to_have_count(0)
    expect(key(page, "chat_stop")).to_be_visible()
    expect(key(page, "chat_next")).to_contain_text("+ this answer")
    page.evaluate(HIDDEN, True)
    api.go_on()
    ended(page)
    expect(page).to_have_title("Done · Tempera")
    expect(key(page, "chat_next")).not_to_contain_text("+ this answer")
    page.evaluate(HIDDEN, False)
    expect(page).to_have_title("Tempera")
    send(page, "in sight")
    expect(key(page, "answer_1")).to_contain_text("You said")
    api.go_on()
    ended(page)
    expect(page).to_have_title("Tempera")


@pytest.mark.row("C18")
@pytest.mark.soak
def test_on_a_phone_the_drawer_closes_after_a_choice(app: AppServer, context: BrowserContext) -> None:
    page = open_page(context, link(app, "echo"))
    page.set_viewport_size({"width": 390, "height": 844})
    send(page, "on a phone")
    ended(page)
    chat = open_chat(page)
    page.reload()
    for button in ("chat_new", f"chat_open_{chat}"):
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(key(page, button)).to_be_in_viewport()
        go(page, button)
        expect(key(page, button)).not_to_be_in_viewport()
    expect(key(page, "answer_0")).to_contain_text("on a phone")


@pytest.mark.row("C46")
@pytest.mark.soak
def test_a_chat_saved_as_a_page_runs_nothing_loads_nothing_and_fits_a_phone_and_paper(
    chat: NewChat, tmp_path: Path
) -> None:
    page = chat("echo")
    hostile = "<script>document.title='x'</script> ![p](http://evil.example/p.png) [l](javascript:alert(1))"
    bring_in(
        page,
        [("Q?", f"# Head\n\n{hostile}\n\n|a|b|\n|-|-|\n|{'x' * 300}|2|\n\n```\n{'code ' * 90}\n```")],
        tmp_path,
    )
    key(page, f"chat_menu_{open_chat(page)}").get_by_role("button").click()
    page.get_by_text("Save as a file").click()
    with page.expect_download() as download:
        go(page, "chat_save_html")
    expect(page.get_by_test_id("stToast")).to_contain_text("Saved")
    expect(key(page, "chat_save_html")).to_have_count(0)
    file = tmp_path / "chat.html"
    download.value.save_as(file)
    saved = page.context.new_page()
    requests: list[str] = []
    saved.on("request", lambda request: requests.append(request.url))
    saved.set_viewport_size({"width": 390, "height": 844})
    saved.goto(file.as_uri())
    expect(saved.get_by_role("heading", name="Head")).to_be_visible()
    assert saved.title() == "Brought in" and requests == [file.as_uri()]
    assert saved.evaluate("document.documentElement.scrollWidth") <= 390
    assert saved.evaluate("document.scripts.length") == 0
    assert not saved.locator("a[href^=javascript]").count()
    saved.close()


@pytest.mark.row("C18")
@pytest.mark.soak
def test_a_chats_name_has_two_lines_and_a_longer_one_is_told_whole_by_the_pointer(chat: NewChat) -> None:
    for text, whole in (("A name of two lines in the list of chats", True), ("A much longer name " * 5, False)):
        page = chat("echo")
        send(page, text)
        ended(page)
        name = page.locator("[class*=st-key-chat_open_] button p").first
        expect(name).to_contain_text(text[:15])
        name.hover()
        assert (name.get_attribute("title") == "") == whole
        assert whole or (name.get_attribute("title") or "").startswith(text[:45])
        assert name.evaluate("one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)") < 2.2

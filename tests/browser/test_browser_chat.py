"""Chat in a real browser while an answer is written: the network goes, the page changes, keys are pressed, several
models answer side by side, and nobody answers."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lib.ui.chat.chat_state import SHOWN_TURNS
from lib.ui.chat.shown_turns import MORE
from tests.app_server import AppServer, forked_app
from tests.browsing import (
    NewChat,
    asked,
    at_rest,
    composer,
    ended,
    key,
    link,
    open_page,
    press_until,
    scroll_to_the_top,
    send,
)
from tests.fake_api import UNTIL_TOLD, FakeApi
from tests.proxy import Proxy

PATIENCE_SECONDS = 0.5


@pytest.fixture
def impatient(settings: dict[str, str], front: Proxy, tmp_path: Path) -> Iterator[AppServer]:
    """The app, asking soon what to do where no word comes."""
    settings = settings | {"TEMPERA_PATIENCE_SECONDS": str(PATIENCE_SECONDS)}
    with forked_app(tmp_path / "data", **settings) as app:
        yield front.lead_to(app)


@pytest.mark.row("C20")
def test_a_lost_network_costs_nothing(api: FakeApi, chat: NewChat, front: Proxy) -> None:
    """One request, and the whole answer is there when the network is back; meanwhile it is said in our own words."""
    text = "through the tunnel"
    page = chat("held")
    send(page, text)
    expect(key(page, "answer_0")).to_contain_text("You said")
    front.cut()
    try:
        expect(page.locator("[data-test-connection-state=CONNECTED]")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_contain_text("As soon as Tempera answers again")
        api.go_on()
        api.wait(lambda _: asked(api, text)[0].finished)
    finally:
        front.mend()
    ended(page)

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(key(page, "answer_0")).to_contain_text(f"You said: {text}")
    assert len(asked(api, text)) == 1


@pytest.mark.row("C20")
@pytest.mark.soak
def test_another_page_meanwhile_costs_nothing(api: FakeApi, chat: NewChat) -> None:
    text = "while looking elsewhere"
    page = chat("held")
    send(page, text)
    expect(key(page, "answer_0")).to_contain_text("You said")
    page.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    expect(key(page, "answer_0")).to_contain_text("You said")
    api.go_on()
    ended(page)

    expect(key(page, "answer_0")).to_contain_text(f"You said: {text}")
    assert len(asked(api, text)) == 1


@pytest.mark.row("C11")
def test_words_that_turn_out_to_be_thoughts_leave_the_answer_while_it_comes(api: FakeApi, chat: NewChat) -> None:
    def piece(text: str) -> bytes:
        return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"

    silence = [20.0, piece("\n")] * 5
    api.script("late-end", piece("Let me see."), UNTIL_TOLD, piece("\n</think>\n\n"), *silence)
    page = chat("late-end")
    send(page, "think first")
    answer = key(page, "answer_0")
    words = answer.get_by_text("Let me see.")
    expect(words).to_be_visible()
    api.go_on()
    expect(words.filter(visible=True)).to_have_count(0)
    key(page, "chat_stop").get_by_role("button").click()
    ended(page)
    expect(words.filter(visible=True)).to_have_count(0)


def compose(page: Page, text: str) -> None:
    """Let an input method put `text` into the field without finishing it, as pinyin does before a word is chosen."""
    chromium = page.context.new_cdp_session(page)
    end = len(text)
    chromium.send("Input.imeSetComposition", {"text": text, "selectionStart": end, "selectionEnd": end})


@pytest.mark.row("C30")
def test_while_an_input_method_composes_escape_and_enter_are_its_own(api: FakeApi, chat: NewChat) -> None:
    text = "still writing " + "word " * 400  # it is stopped at the end
    page = chat("slow-50")
    send(page, text)
    expect(key(page, "answer_0")).to_contain_text("You said")
    page.evaluate("""() => addEventListener('keydown', event => (window.keys ??= []).push(event.isComposing), true)""")
    composer(page).focus()
    for pressed in ("Escape", "Enter"):
        compose(page, "ni hao")
        page.keyboard.press(pressed)
    expect(key(page, "answer_0")).to_contain_text("word " * 30)

    assert page.evaluate("window.keys") == [True, True]
    assert asked(api, text)[0].closed_by_client is None and not asked(api, "ni hao")
    expect(key(page, "chat_waiting")).to_have_count(0)
    page.context.new_cdp_session(page).send("Input.insertText", {"text": "你好"})
    composer(page).press("Escape")
    api.wait(lambda _: asked(api, text)[0].closed_by_client)


@pytest.mark.row("C30")
def test_shift_enter_makes_a_line_and_the_last_question_is_one_key_away(api: FakeApi, chat: NewChat) -> None:
    page = chat("echo")
    composer(page).type("one")
    composer(page).press("Shift+Enter")
    composer(page).type("two")
    composer(page).press("Enter")
    ended(page)
    assert len(asked(api, "one\ntwo")) == 1

    field = key(page, "edited_message").locator("textarea")
    press_until(page, "Control+ArrowUp", field)
    expect(field).to_be_focused()
    page.keyboard.type(" three")
    expect(field).to_have_value("one\ntwo three")


@pytest.mark.row("C21")
@pytest.mark.soak
def test_a_chat_is_saved_and_comes_back_from_its_file(api: FakeApi, chat: NewChat, tmp_path: Path) -> None:
    page = chat("echo")
    send(page, "keep **this**")
    ended(page)
    key(page, "chat_regenerate").get_by_role("button").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    ended(page)
    saved = {}
    in_the_list = page.locator("[class*=st-key-chat_menu_]").first
    for ending, menu in (("md", in_the_list), ("json", key(page, "chat_hand_on"))):
        menu.get_by_role("button").click()
        page.get_by_role("menuitem", name="Save as a file").click()
        with page.expect_download() as download:
            key(page, f"chat_save_{ending}").get_by_role("button").click()
        saved[ending] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[ending])
    assert [path.name for path in saved.values()] == ["keep this.md", "keep this.json"]
    assert "**You**\n\nkeep **this**" in saved["md"].read_text(encoding="utf-8")

    page = chat("echo")
    key(page, "chat_bring_in").locator("summary").click()
    page.locator("input[type=file][accept*=json]").first.set_input_files(saved["json"])
    expect(key(page, "answer_0")).to_contain_text("You said: keep this")
    expect(page.get_by_text("2/2")).to_be_visible()
    send(page, "go on")
    expect(key(page, "answer_1")).to_contain_text("You said: go on")
    assert [one["content"] for one in asked(api, "go on")[0].body["messages"]] == [
        "keep **this**",
        "You said: keep **this**",
        "go on",
    ]


@pytest.mark.row("C15")
def test_no_keystroke_reaches_the_server(chat: NewChat) -> None:
    """A draft is counted when it is sent; the figure of the next message says so while it is written."""
    page = chat("echo")
    network = page.context.new_cdp_session(page)
    sent: list[object] = []
    for event in ("Network.webSocketFrameSent", "Network.requestWillBeSent"):
        network.on(event, lambda told: sent.append(told))
    network.send("Network.enable")
    send(page, "first")
    ended(page)
    at_rest(page)
    before = len(sent)
    typed = "element => getComputedStyle(element, '::after').content"
    figure = key(page, "chat_next").get_by_role("button").locator("p")
    assert figure.evaluate(typed) == "none"
    composer(page).press_sequentially("a draft that nobody counts yet")

    assert "what you type" in figure.evaluate(typed)
    assert len(sent) == before > 0
    network.detach()


@pytest.mark.row("C16", "C3")
def test_models_side_by_side_stop_one_by_one_and_a_new_chat_asks_one(api: FakeApi, chat: NewChat) -> None:
    text = "side by side"
    page = chat("held")
    key(page, "chat_beside_open").get_by_role("button").first.click()
    field = key(page, "chat_models_beside").locator("input").first
    field.fill("held-2")
    field.press("Enter")
    expect(key(page, "chat_models_beside")).to_contain_text("held-2")
    field.fill("held")
    field.press("Enter")
    expect(key(page, "chat_models_beside").locator("[data-tag]")).to_have_text(["held-2"])
    page.keyboard.press("Escape")
    send(page, text)
    expect(key(page, "answer_0_0")).to_contain_text("You said")
    expect(key(page, "answer_0_1")).to_contain_text("You said")
    both = {request.model: request for request in asked(api, text)}
    stop, words = key(page, "chat_stop_1"), key(page, "answer_0_1").get_by_text("You said")
    top = "element => element.getBoundingClientRect().top"
    assert stop.evaluate(top) < words.evaluate(top), "it slides down as the answer grows"
    key(page, "chat_stop_1").get_by_role("button").click()
    api.wait(lambda _: both["held-2"].closed_by_client)
    api.go_on()
    ended(page)

    assert both["held"].finished and not both["held"].closed_by_client
    expect(key(page, "answer_0_0")).to_contain_text(f"You said: {text}")
    expect(key(page, "answer_0_1")).to_contain_text("stopped by you")
    feet = page.locator("[class*='st-key-foot_of_answer_0_']")
    last = "one => [...one.querySelectorAll('button')].at(-1).getBoundingClientRect().bottom"
    [one, other] = feet.evaluate_all(f"all => all.map({last})")
    assert abs(one - other) < 2, "on one line"
    # Their field is in a closed popover, and the browser still has what was chosen there.
    key(page, "chat_new").get_by_role("button").click()
    expect(key(page, "chat_empty")).to_be_visible()
    send(page, "one alone")
    expect(key(page, "answer_0")).to_contain_text("You said")
    api.go_on()
    ended(page)
    assert len(asked(api, "one alone")) == 1


@pytest.mark.row("C31")
@pytest.mark.soak
def test_a_message_that_waits_can_be_taken_back(api: FakeApi, chat: NewChat) -> None:
    page = chat("held")
    send(page, "before that")
    expect(key(page, "answer_0")).to_contain_text("You said")
    send(page, "not after all")
    key(page, "chat_unsend").get_by_role("button").click()
    expect(composer(page)).to_have_value("not after all")
    key(page, "chat_stop").get_by_role("button").click()
    ended(page)

    assert not asked(api, "not after all")


@pytest.mark.soak
def test_where_no_word_comes_the_page_asks_what_to_do(
    impatient: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    """After some seconds of silence: wait on without being asked again, or stop."""
    page = open_page(context, link(impatient, "silent"))
    send(page, "is anybody there")
    expect(page.get_by_text("No first word yet from silent.")).to_be_visible()
    page.get_by_role("button", name="Keep waiting").click()
    expect(page.get_by_text("No first word yet")).to_have_count(0)
    expect(page.get_by_text("Reading your text… 2 s")).to_be_visible()
    page.reload()
    expect(page.get_by_text("No first word yet")).to_be_visible()
    page.locator("[class*=st-key-give_up]").get_by_role("button").click()
    api.wait(lambda _: asked(api, "is anybody there")[0].closed_by_client)
    ended(page)

    assert len(asked(api, "is anybody there")) == 1


@pytest.mark.soak
def test_a_long_chat_is_as_light_as_a_short_one(app: AppServer, chat: NewChat) -> None:
    """The last ones are drawn; the others come as one scrolls up to them, and what is read stays where it is, though
    the server is slow to bring them, and the computer to draw them."""
    page = chat("echo")
    turns = [{"role": ("user", "assistant")[at % 2], "content": f"message number {at}"} for at in range(400)]
    key(page, "chat_bring_in").locator("summary").click()
    page.locator("input[type=file][accept*=json]").first.set_input_files(
        {"name": "long.json", "mimeType": "application/json", "buffer": json.dumps(turns).encode()}
    )
    expect(page.get_by_text("message number 399")).to_be_visible()

    messages = page.get_by_test_id("stChatMessage")
    expect(messages).to_have_count(SHOWN_TURNS)
    computer = page.context.new_cdp_session(page)
    computer.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    app.process.send_signal(signal.SIGSTOP)
    try:
        scroll_to_the_top(page)
        # Longer than heights may change after the last message has come (SETTLED in conversation.js).
        page.evaluate("() => new Promise(done => setTimeout(done, 4000))")
    finally:
        app.process.send_signal(signal.SIGCONT)
    expect(messages).to_have_count(SHOWN_TURNS + MORE)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_text(f"message number {400 - SHOWN_TURNS}")).to_be_in_viewport()
    computer.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    computer.detach()

    page.set_viewport_size({"width": 1280, "height": 2400})
    page.reload()
    expect(messages).to_have_count(SHOWN_TURNS + MORE)  # a high screen is filled
    expect(page.get_by_text("message number 399")).to_be_in_viewport()

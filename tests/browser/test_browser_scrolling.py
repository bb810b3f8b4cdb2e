"""Where the conversation stands on the screen while answers come: what was asked is at the top, its answer grows below,
and nothing moves whoever reads elsewhere."""

import json

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.app_server import AppServer
from tests.browsing import NewChat, at_rest, ended, go, key, link, send
from tests.fake_api import FakeApi

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAUSE = 0.04
TOP = "element => element.getBoundingClientRect().top"
SCROLLED = "() => document.querySelector('.stMain').scrollTop"
# What moves without having been scrolled, while it is on the screen; also right after a key, which browsers excuse.
WATCH_SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const entry of list.getEntries())
            for (const { node, previousRect, currentRect } of entry.sources) {
                if (node?.parentElement?.closest("[data-testid=stSidebar]")) continue; // chats are named by their words
                window.shifts.push([node?.textContent?.slice(0, 80) ?? "", previousRect.top, currentRect.top]);
            }
    }).observe({ type: "layout-shift" });
}"""


def essay(paragraphs: int, pause: float = PAUSE) -> list[bytes | float]:
    """The steps of an answer that grows by a line at a time, slowly enough to be looked at meanwhile."""
    steps: list[bytes | float] = []
    for number in range(paragraphs):
        said = {"choices": [{"index": 0, "delta": {"content": f"Line {number}\n\n"}, "finish_reason": None}]}
        steps += [pause, f"data: {json.dumps(said)}\n\n".encode()]
    done = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*steps, f"data: {json.dumps(done)}\n\ndata: [DONE]\n\n".encode()]


@pytest.fixture(scope="module")
def models(api: FakeApi) -> FakeApi:
    """The service with an answer that fits the screen, and one that does not."""
    for name, steps in (
        ("short", essay(4)),
        ("long", essay(40)),
        ("slow", essay(40, 0.3)),
        ("long-at-once", essay(40, 0)),
    ):
        api.script(name, *steps, headers={"content-type": "text/event-stream"})
    return api


@pytest.fixture
def page(app: AppServer, chat: NewChat, models: FakeApi) -> Page:
    """A chat whose first answer is longer than the screen, at rest; further ones come line by line."""
    page = chat("long-at-once")
    page.set_viewport_size(DESKTOP)
    send(page, "Write me an essay")
    ended(page)
    go(page, link(app, "long"))
    return page


def below_the_head(page: Page, question: int) -> float:
    """Pixels from the header down to one's own message."""
    head = key(page, "chat_head").bounding_box()
    message = page.get_by_test_id("stChatMessage").filter(has=key(page, f"edit_{question}"))
    assert head
    return float(message.evaluate(TOP)) - head["y"] - head["height"]


def line(page: Page, answer: str, number: int) -> Locator:
    """A line of an essay."""
    return key(page, answer).get_by_text(f"Line {number}", exact=True)


def newest(page: Page) -> Locator:
    """The button that leads to the end."""
    return key(page, "chat_newest").get_by_role("button")


@pytest.mark.parametrize("size", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.soak)], ids=["desktop", "phone"])
def test_what_is_asked_stands_at_the_top_and_its_answer_grows_below(page: Page, size: ViewportSize) -> None:
    """From wherever the page was scrolled to, with the settings open too; the view does not move meanwhile, and nothing
    above the new words does."""
    page.set_viewport_size(size)
    page.evaluate("() => document.querySelector('.stMain').scrollTo(0, 300)")
    if size is DESKTOP:
        key(page, "chat_settings").locator("summary").first.click()
        expect(key(page, "chat_system")).to_be_visible()
    page.evaluate(WATCH_SHIFTS)
    send(page, "And another one")
    expect(line(page, "answer_1", 3)).to_be_in_viewport(ratio=1)
    assert 0 <= below_the_head(page, 2) < 20
    place = page.evaluate(SCROLLED)
    expect(line(page, "answer_1", 36)).to_be_visible()
    assert page.evaluate(SCROLLED) == place
    ended(page)

    assert page.evaluate(SCROLLED) == place
    assert 0 <= below_the_head(page, 2) < 20
    moved = [shift for shift in page.evaluate("() => window.shifts") if "Line" in shift[0] or "another" in shift[0]]
    assert moved == []


@pytest.mark.soak
def test_what_is_edited_is_in_view_and_another_version_stands_where_the_one_before_stood(page: Page) -> None:
    send(page, "And another one")
    ended(page)
    edited_out_of_sight(page)
    back = key(page, "version_back_question_0").get_by_role("button")
    back.hover()  # Playwright scrolls what is out of sight to where it can press it
    pressed = back.evaluate(TOP)
    back.click()
    expect(line(page, "answer_1", 39)).to_be_visible()  # further below it
    at_rest(page)
    assert back.evaluate(TOP) == pytest.approx(pressed, abs=2)


def edited_out_of_sight(page: Page) -> None:
    """Edit the last question from further up, where its field is seen at once; then the first one, and wait for
    its answer."""
    page.locator(".stMain").hover()
    page.mouse.wheel(0, -1000)
    expect(key(page, "edit_2")).not_to_be_in_viewport()
    key(page, "chat_edit_last").get_by_role("button").click()
    expect(key(page, "edited_message").locator("textarea")).to_be_focused()
    expect(key(page, "edit_send")).to_be_in_viewport(ratio=1)
    key(page, "edit_cancel").get_by_role("button").click()
    key(page, "edit_0").get_by_role("button").click()
    expect(key(page, "edited_message").locator("textarea")).to_be_focused()
    page.keyboard.type("!")
    key(page, "edit_send").get_by_role("button").click()
    expect(key(page, "edit_2")).to_have_count(0)
    expect(line(page, "answer_0", 0)).to_be_visible()
    ended(page)


@pytest.mark.soak
def test_who_reads_elsewhere_stays_there_and_one_click_leads_to_the_newest(page: Page, app: AppServer) -> None:
    """Even when what waited its turn is sent meanwhile; and whoever is at the end stays at the end."""
    go(page, link(app, "slow"))  # a busy computer too has to ask and scroll before it has come to its end
    send(page, "And another one")
    expect(line(page, "answer_1", 3)).to_be_visible()
    send(page, "And a third one")
    page.locator(".stMain").hover()
    page.mouse.wheel(0, -700)
    expect(line(page, "answer_0", 30)).to_be_in_viewport()
    read = line(page, "answer_0", 30).evaluate(TOP)
    expect(newest(page)).to_be_visible()
    expect(line(page, "answer_2", 5)).to_be_visible()
    assert line(page, "answer_0", 30).evaluate(TOP) == read

    newest(page).click()
    expect(line(page, "answer_2", 30)).to_be_in_viewport()
    expect(newest(page)).to_be_hidden()
    ended(page)
    expect(key(page, "chat_regenerate")).to_be_in_viewport()


@pytest.mark.soak
def test_a_message_that_is_changed_stays_in_view_while_an_answer_grows(page: Page, app: AppServer) -> None:
    """Of whoever was at the end of it, too."""
    go(page, link(app, "slow"))
    send(page, "And another one")
    expect(line(page, "answer_1", 1)).to_be_visible()
    page.locator(".stMain").hover()
    page.mouse.wheel(0, 3000)
    key(page, "edit_2").get_by_role("button").click()
    field = key(page, "edited_message").locator("textarea")
    expect(field).to_be_focused()
    expect(line(page, "answer_1", 30)).to_be_visible()
    expect(field).to_be_in_viewport(ratio=1)
    head = key(page, "chat_head").bounding_box()
    assert head and field.evaluate(TOP) > head["y"] + head["height"]


@pytest.mark.soak
def test_a_chat_is_opened_at_its_end(page: Page) -> None:
    """From the list, after a visit to another page, and after a reload."""
    last = key(page, "chat_regenerate")
    expect(last).not_to_be_in_viewport()
    key(page, "chat_new").get_by_role("button").click()
    expect(key(page, "chat_empty")).to_be_visible()
    page.get_by_role("button", name="Write me an essay").first.click()
    expect(last).to_be_in_viewport(ratio=1)

    page.locator(".stMain").hover()
    page.mouse.wheel(0, -700)
    expect(last).not_to_be_in_viewport()
    key(page, "frame").get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()
    key(page, "frame").get_by_role("link", name="Chat").click()
    expect(last).to_be_in_viewport(ratio=1)

    page.locator(".stMain").hover()
    page.mouse.wheel(0, -700)
    expect(last).not_to_be_in_viewport()
    page.reload()
    expect(last).to_be_in_viewport(ratio=1)


@pytest.mark.soak
def test_answers_side_by_side_grow_below_the_question_too(page: Page) -> None:
    key(page, "chat_beside_open").get_by_role("button").first.click()
    field = key(page, "chat_models_beside").locator("input").first
    field.fill("short")
    field.press("Enter")
    expect(key(page, "chat_models_beside")).to_contain_text("short")
    page.keyboard.press("Escape")
    send(page, "Both of you")
    for answer in ("answer_1_0", "answer_1_1"):
        expect(line(page, answer, 3)).to_be_in_viewport(ratio=1)
    assert 0 <= below_the_head(page, 2) < 20
    expect(line(page, "answer_1_0", 30)).to_be_visible()
    assert 0 <= below_the_head(page, 2) < 20

    ended(page)
    key(page, "chat_regenerate").get_by_role("button").click()
    expect(line(page, "answer_1_0", 3)).to_be_in_viewport(ratio=1)
    assert 0 <= below_the_head(page, 2) < 20


@pytest.mark.soak
def test_of_a_long_message_the_end_is_shown(page: Page) -> None:
    """So that its answer is in view."""
    send(page, "\n\n".join(f"Question {number}" for number in range(60)))
    expect(line(page, "answer_1", 1)).to_be_in_viewport(ratio=1)
    bottom = page.get_by_text("Question 59").evaluate("element => element.getBoundingClientRect().bottom")
    assert 0 < bottom < DESKTOP["height"] / 2

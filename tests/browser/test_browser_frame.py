"""The frame around the pages: it stays where it is, whatever page is open and however long that is."""

import json
import re
from collections.abc import Collection
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, TimeoutError, ViewportSize, expect

from lib.ui.shared.texts import catalogue
from tests.app_server import AppServer
from tests.browsing import NewChat, at_rest, composer, ended, go, key, link, new_tab, open_page, send

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 360, "height": 740}
FIELDS = re.compile("/static/js/(?:TextArea|ChatInput|Multiselect|ButtonGroup|NumberInput|Button)[.]")
FIRST_SEEN = {
    "": ("chat_example_0", "chat_input"),
    "sweep": ("sweep_prompt", "sweep_models", "sweep_temperatures", "sweep_repeats", "sweep_run"),
}
PAGES = {"Sweep": "[class*=st-key-sweep_setup]", "Usage": ".st-key-usage_scope", "Chat": ".st-key-chat_input"}
"""What each page has, on Sweep whether one is open or not."""


@pytest.fixture
def page(chat: NewChat) -> Page:
    """A chat that is longer than the screen."""
    page = chat("echo")
    send(page, "\n\n".join(f"Line {number}" for number in range(60)))
    ended(page)
    key(page, "chat_regenerate").scroll_into_view_if_needed()
    expect(key(page, "chat_regenerate")).to_be_in_viewport()
    return page


def box(place: Locator) -> tuple[float, ...]:
    """Where something stands on the screen."""
    found = place.bounding_box()
    assert found
    return found["x"], found["y"], found["width"], found["height"]


@pytest.mark.soak
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_frame_stays_where_it_is_from_page_to_page(page: Page, size: ViewportSize) -> None:
    """The pages, the connection and the menu are in view on each, and a chat keeps its width."""
    bar = key(page, "frame")
    parts = [bar, bar.get_by_role("link", name="Chat"), key(page, "connection_open"), key(page, "menu")]
    page.set_viewport_size(size)
    for part in parts:
        expect(part).to_be_in_viewport(ratio=1)
    before, width = [box(part) for part in parts], box(key(page, "chat_input"))[2]
    assert before[0][3] <= 110

    for name, shown in PAGES.items():
        bar.get_by_role("link", name=name).click()
        expect(page.locator(shown)).to_be_visible()
        assert [box(part) for part in parts] == before, name
    assert box(key(page, "chat_input"))[2] == width

    page.set_viewport_size(SMALL_PHONE)
    for part in parts[1:]:
        expect(part).to_be_in_viewport(ratio=1)
    bar.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_scope")).to_be_visible()
    at_rest(page)
    assert len({box(choice)[1] for choice in key(page, "usage_scope").get_by_role("radio").all()}) == 1, "one line"


def test_model_and_settings_stay_in_view_beside_the_conversation_and_what_leads_to_its_end_lies_over_no_text(
    page: Page,
) -> None:
    """At the end of a long chat, without moving what is read; and settings look like what can be pressed."""
    page.set_viewport_size(DESKTOP)
    expect(key(page, "chat_model")).to_be_in_viewport(ratio=1)
    line = key(page, "answer_0").get_by_text("Line 58", exact=True)
    before = box(key(page, "chat_head"))

    key(page, "chat_settings").locator("summary").first.click()
    expect(key(page, "chat_system")).to_be_in_viewport(ratio=1)
    assert box(key(page, "chat_head")) == pytest.approx(before, abs=1), "what closes it is where it was opened"
    assert box(line)[0] + box(line)[2] <= box(key(page, "chat_system"))[0]
    expect(key(page, "chat_input")).to_be_in_viewport(ratio=1)
    key(page, "chat_settings").locator("summary").first.click()
    page.locator(".stMain").hover()
    page.mouse.wheel(0, -600)
    newest = key(page, "chat_newest").get_by_role("button")
    expect(newest).to_be_visible()
    last = key(page, "chat_templates_open")
    assert box(page.locator(".stBottom"))[1] <= box(newest)[1] and box(newest)[1] + box(newest)[3] <= box(last)[1]

    left, top, width, _ = box(page.locator(".stMain"))
    page.mouse.click(left + width - 30, top + 300)
    page.keyboard.press("Control+a")
    ring = "element => getComputedStyle(element, '::before').content"
    assert page.locator(".stMain").evaluate(ring) == "none", "a press frames nothing"

    settings, neighbour = key(page, "chat_settings"), key(page, "chat_beside_open").get_by_role("button")
    expect(settings.locator("details[open]")).to_have_count(0)
    page.locator(".stMain").hover()
    for name in ("color", "background-color", "cursor"):
        look = neighbour.evaluate("(one, name) => getComputedStyle(one)[name]", name)
        expect(settings.locator("summary").first).to_have_css(name, look)


@pytest.mark.soak
def test_on_a_phone_settings_close_on_what_is_pressed_beside_them_and_a_long_names_end_is_seen(
    page: Page, app: AppServer
) -> None:
    """And what closes the list of models leaves the chosen one."""
    page.set_viewport_size(DESKTOP)
    key(page, "chat_settings").locator("summary").first.click()
    page.set_viewport_size(PHONE)
    expect(key(page, "chat_temperature")).to_be_in_viewport(ratio=1)
    assert box(key(page, "chat_temperature"))[1] > PHONE["height"] / 3
    expect(key(page, "chat_new")).not_to_be_in_viewport()  # the drawer goes by itself, over what is pressed
    x, y, width, height = box(key(page, "chat_models_open"))
    page.mouse.click(x + width / 2, y + height / 2)
    expect(key(page, "chat_temperature")).not_to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)

    name = "01-ai/a-model-whose-name-is-too-long-for-a-phone"
    go(page, link(app, name))
    model = key(page, "chat_model").get_by_role("combobox")
    expect(model).to_have_value(name)
    expect(model).to_have_css("direction", "ltr")  # else it would be read from "ai/a-model" to "01"
    (left, _, width, _), place = box(model), box(key(page, "chat_model"))
    assert left < place[0] and left + width < place[0] + place[2]
    go(page, link(app, "SmolLM2-135M-Instruct"))
    expect(model).to_have_value("SmolLM2-135M-Instruct")
    assert box(model)[0] >= box(key(page, "chat_model"))[0], "with all buttons beside it the practice model's is whole"
    at_rest(page)
    # Playwright scrolls the page before it presses what stands in its fixed head, and an open list closes then.
    model.hover()
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("listbox")).to_be_visible()
    model.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    at_rest(page)
    expect(model).to_have_value("SmolLM2-135M-Instruct")


@pytest.mark.row("X8")
def test_the_keyboard_begins_in_the_composer_and_is_one_step_from_it(app: AppServer, context: BrowserContext) -> None:
    """From the top of the page too: the first thing that Tab reaches leads there."""
    page = open_page(context, app.url)
    expect(composer(page)).to_be_focused()

    first = page.locator("a[href], button, input, textarea, summary, [tabindex]").first
    expect(first).to_have_text("Skip to the content")
    first.focus()
    page.keyboard.press("Enter")
    expect(composer(page)).to_be_focused()


@pytest.mark.row("X10")
def test_light_or_dark_is_chosen_in_the_menu_for_all_pages_and_the_next_visit_and_the_frame_stays(page: Page) -> None:
    """Streamlit keeps its own choice apart for each path."""
    bar = key(page, "frame")
    parts = [bar, bar.get_by_role("link", name="Chat"), key(page, "connection_open"), key(page, "menu")]
    for part in parts:
        expect(part).to_be_in_viewport(ratio=1)
    before = [box(part) for part in parts]
    shown = page.get_by_test_id("stApp")
    expect(shown).to_have_css("color-scheme", "light")
    key(page, "menu").get_by_role("button").click()
    key(page, "theme_choice").get_by_text("Dark").click()
    expect(shown).to_have_css("color-scheme", "dark")
    page.keyboard.press("Escape")
    for name in ("Sweep", "Usage"):
        bar.get_by_role("link", name=name).click()
        expect(page.locator(PAGES[name])).to_be_visible()
        expect(shown).to_have_css("color-scheme", "dark")
        assert [box(part) for part in parts] == before, name
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(shown).to_have_css("color-scheme", "dark")
    key(page, "menu").get_by_role("button").click()
    key(page, "theme_choice").get_by_text("Like the system").click()
    expect(shown).to_have_css("color-scheme", "light")


@pytest.mark.row("X10")
@pytest.mark.soak
def test_a_change_of_language_leaves_light_and_dark_as_they_were(app: AppServer, context: BrowserContext) -> None:
    """A browser knows a choice by its words: in another language they are others."""
    page = open_page(context, app.url)
    shown = page.get_by_test_id("stApp")
    key(page, "menu").get_by_role("button").click()
    key(page, "theme_choice").get_by_text("Dark").click()
    expect(shown).to_have_css("color-scheme", "dark")
    for language, name in (("简体中文", "跟随系统"), ("English", "Like the system")):
        key(page, "language_choice").get_by_text(language).click()
        expect(key(page, "theme_choice").get_by_text(name)).to_be_visible()
        at_rest(page)
        expect(key(page, "theme_choice").get_by_role("radio", checked=True)).to_have_count(1)
        expect(shown).to_have_css("color-scheme", "dark")
        page.keyboard.press("Escape")
        expect(key(page, "chat_temperature")).to_have_count(int(language == "English"))  # they stay as they were
        key(page, "chat_settings").locator("summary").first.click()
        at_rest(page)
        expect(shown).to_have_css("color-scheme", "dark")
        key(page, "menu").get_by_role("button").click()
    key(page, "theme_choice").get_by_text("Like the system").click()
    expect(shown).to_have_css("color-scheme", "light")


CHOSEN = {
    "Chat": (),
    "Sweep": (("sweep_vary", "System prompt", "系统提示词"),),
    "Usage": (("usage_budget_day_unit", "tokens", "Token"),),
}
"""A choice of each page, by its field: its words in both languages."""
STREAMLITS, NOTHING = r"\b(Upload|per file|Drag and drop|Press Enter|Select all|No results|Choose an? option)\b", "^$"
READ = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) {
        const holder = texts.currentNode.parentElement;
        const seen = holder.checkVisibility({ visibilityProperty: true }) && !holder.closest("style, script");
        if (seen) found.push(texts.currentNode.nodeValue);
    }
    for (const one of document.querySelectorAll("input, textarea")) found.push(one.value || one.placeholder);
    for (const one of document.querySelectorAll("[aria-label]")) found.push(one.ariaLabel);
    return found.map((text) => text.trim()).filter((text) => text);
}"""


def in_language(page: Page, name: str, code: str) -> None:
    """Choose a language in the menu."""
    key(page, "menu").get_by_role("button").first.click()
    key(page, "language_choice").get_by_text(name).click()
    expect(page.locator("html")).to_have_attribute("lang", code)
    page.keyboard.press("Escape")
    expect(key(page, "language_choice")).to_have_count(0)
    at_rest(page)


@pytest.mark.row("X7")
@pytest.mark.soak
def test_after_a_change_of_language_no_word_and_no_choice_is_left_of_the_other(
    chat: NewChat, subtests: pytest.Subtests
) -> None:
    """With all that opens: Streamlit knows a choice by its words only, and has words of its own."""
    words = {
        one: other for one, other in catalogue("zh_Hans")._catalog.items() if isinstance(one, str) and one != other
    }
    foreign = {"zh-Hans": words.keys(), "en": set(words.values()) - words.keys()}
    page = chat("echo")
    send(page, "one two three")
    ended(page)
    # Each page is left in the language it was changed to: the next one is changed back.
    for turn, name in enumerate(PAGES):
        language, code = (("English", "en"), ("简体中文", "zh-Hans"))[turn % 2 == 0]
        key(page, "frame").get_by_role("link").nth(["Chat", "Sweep", "Usage"].index(name)).click()
        expect(page.locator(PAGES[name])).to_be_visible()
        at_rest(page)
        page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(one => one.click())")
        if name == "Usage":
            key(page, "usage_more").get_by_role("radio").last.click()
        at_rest(page)
        for field, *both in CHOSEN[name]:
            choose(page, field, both[code == "en"])
        in_language(page, language, code)
        for again in (False, True):
            if again:  # what the browser still holds is told by the next run
                key(page, "menu").get_by_role("button").first.click()
                key(page, "theme_choice").get_by_test_id("stRadioOption").nth(1 - turn % 2).click()
                at_rest(page)
            with subtests.test(page=name, language=code, again=again):
                read, left = read_whole(page, foreign[code], STREAMLITS if code != "en" else NOTHING)
                assert left == []
                for _field, english, chinese in CHOSEN[name]:
                    assert (english if code == "en" else chinese) in read
        page.keyboard.press("Escape")
    in_language(page, "English", "en")  # this visitor's in the tests that follow too


def read_whole(page: Page, foreign: Collection[str], more: str) -> tuple[list[str], list[str]]:
    """All texts of the page, and those of them that are among `foreign` or fit `more`: when there are none of these, as
    our script takes a moment to rename what is Streamlit's."""
    fits = "const [known, fits] = [new Set(words), new RegExp(more)]"
    found = f"([words, more]) => {{ {fits}; return ({READ})().filter(text => known.has(text) || fits.test(text)); }}"
    arg = [list(foreign), more]
    with suppress(TimeoutError):
        page.wait_for_function(f"arg => !({found})(arg).length", arg=arg, timeout=10_000, polling=200)
    return page.evaluate(READ), page.evaluate(found, arg)


def choose(page: Page, field: str, words: str) -> None:
    """Choose something in a list; a run that goes on meanwhile closes it."""
    option = page.get_by_role("option", name=words, exact=True)
    for _attempt in range(20):
        key(page, field).get_by_role("combobox").click()
        with suppress(TimeoutError):
            option.click(timeout=3_000)
            break
    at_rest(page)


@pytest.mark.soak
def test_the_pages_begin_at_one_place_and_a_phones_sidebar_closes_after_a_choice(
    app: AppServer, context: BrowserContext
) -> None:
    page = open_page(context, app.url)
    page.set_viewport_size(DESKTOP)
    begins = set()
    for name in ("Sweep", "Usage"):
        key(page, "frame").get_by_role("link", name=name).click()
        expect(page.locator(PAGES[name])).to_be_visible()
        begins.add(box(page.get_by_test_id("stMainBlockContainer"))[0])
    assert len(begins) == 1

    key(page, "frame").get_by_role("link", name="Chat").click()
    expect(key(page, "chat_input")).to_be_visible()
    page.set_viewport_size(PHONE)
    page.reload()
    expect(key(page, "chat_empty")).to_be_visible()
    bar, head = box(key(page, "frame")), box(key(page, "chat_head"))
    assert abs(bar[1] + bar[3] - head[1]) < 1, "where it stays when the page is scrolled"
    [one, other] = [box(key(page, name).get_by_role("button")) for name in ("chat_models_open", "chat_beside_open")]
    assert one[3] == other[3], "its words are in one line"
    key(page, "menu").get_by_role("button").click()
    expect(key(page, "help_open")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(key(page, "chat_new")).to_be_in_viewport()
    key(page, "chat_new").get_by_role("button").click()
    expect(key(page, "chat_new")).not_to_be_in_viewport()
    expect(key(page, "chat_empty")).to_be_in_viewport()

    key(page, "chat_settings").locator("summary").first.click()
    key(page, "chat_write_first").get_by_role("button").click()
    expect(key(page, "written_turn").locator("textarea")).to_be_focused()
    expect(key(page, "written_add")).to_be_in_viewport()
    page.get_by_test_id("stExpandSidebarButton").click()
    key(page, "chat_bring_in").locator("summary").click()
    chat = {"messages": [{"role": "user", "content": "Asked"}, {"role": "assistant", "content": "Answered"}]}
    file = page.locator("input[type=file][accept*=json]").first
    file.set_input_files({"name": "chat.json", "mimeType": "application/json", "buffer": json.dumps(chat).encode()})
    expect(key(page, "answer_0")).to_be_in_viewport()
    at_rest(page)
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()


@pytest.mark.soak
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_moves_when_the_fields_take_the_place_of_the_grey_bars(
    context: BrowserContext, app: AppServer, size: ViewportSize
) -> None:
    """Streamlit draws grey in place of each kind of field until its script has come; here that is late."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    for address, fields in FIRST_SEEN.items():
        held.clear()
        page = new_tab(context)
        page.set_viewport_size(size)
        page.route(FIELDS, hold)
        page.goto(f"{app.url}/{address}")
        for name in fields:
            expect(key(page, name).get_by_test_id("stSkeleton")).to_be_visible()
        before = [box(key(page, name))[1::2] for name in fields]
        for route in held:
            route.continue_()
        page.unroute(FIELDS)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        assert [box(key(page, name))[1::2] for name in fields] == before

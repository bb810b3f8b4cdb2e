"""The frame around the pages: it stays where it is, whatever page is open and however long that is."""

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browsing import NewChat, ended, key, send

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = {"Sweep": "sweep_prompt", "Usage": "usage_scope", "Chat": "chat_input"}


@pytest.fixture
def page(chat: NewChat) -> Page:
    """A chat that is longer than the screen."""
    page = chat("echo")
    send(page, "\n\n".join(f"Line {number}" for number in range(60)))
    ended(page)
    key(page, "chat_newest").get_by_role("button").click()
    expect(key(page, "chat_regenerate")).to_be_in_viewport()
    return page


def box(place: Locator) -> tuple[float, ...]:
    """Where something stands on the screen."""
    found = place.bounding_box()
    assert found
    return found["x"], found["y"], found["width"], found["height"]


def test_the_frame_stays_where_it_is_from_page_to_page(page: Page, subtests: pytest.Subtests) -> None:
    """The pages, the connection and the menu are in view on each, on a phone too, and a chat keeps its width."""
    bar = key(page, "frame")
    parts = [bar, bar.get_by_role("link", name="Chat"), key(page, "connection_open"), key(page, "menu")]
    for size in (DESKTOP, PHONE):
        with subtests.test(width=size["width"]):
            page.set_viewport_size(size)
            for part in parts:
                expect(part).to_be_in_viewport(ratio=1)
            before, width = [box(part) for part in parts], box(key(page, "chat_input"))[2]
            assert before[0][3] <= 110

            for name, shown in PAGES.items():
                bar.get_by_role("link", name=name).click()
                expect(key(page, shown)).to_be_visible()
                assert [box(part) for part in parts] == before, name
            assert box(key(page, "chat_input"))[2] == width


def test_model_and_settings_stay_in_view_and_open_beside_the_conversation(page: Page) -> None:
    """At the end of a long chat, without moving what is read."""
    page.set_viewport_size(DESKTOP)
    expect(key(page, "chat_model")).to_be_in_viewport(ratio=1)
    line = key(page, "answer_0").get_by_text("Line 58", exact=True)
    before = box(key(page, "chat_head"))

    key(page, "chat_settings").locator("summary").first.click()
    expect(key(page, "chat_system")).to_be_in_viewport(ratio=1)
    assert box(key(page, "chat_head"))[1::2] == before[1::2], "what is below it has not moved"
    assert box(line)[0] + box(line)[2] <= box(key(page, "chat_system"))[0]
    expect(key(page, "chat_input")).to_be_in_viewport(ratio=1)

    page.set_viewport_size(PHONE)
    expect(key(page, "chat_temperature")).to_be_in_viewport(ratio=1)
    assert box(key(page, "chat_temperature"))[1] > PHONE["height"] / 3

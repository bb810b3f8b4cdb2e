"""The chat page's settings in a real browser: what stays open, and what outlives a reload."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.app_server import AppServer
from tests.browsing import ended, key, link, open_page, send


@pytest.mark.row("C25", "C29")
@pytest.mark.soak
def test_the_panel_stays_open_while_what_is_said_beside_it_changes_and_the_fields_outlive_a_reload(
    app: AppServer, context: BrowserContext
) -> None:
    page = open_page(context, app.url)
    heading, said = key(page, "chat_settings").locator("summary").first, key(page, "chat_changes")
    heading.click()
    key(page, "chat_temperature").get_by_role("slider").press("ArrowLeft")
    expect(key(page, "chat_temperature_on").get_by_role("switch")).to_be_checked()
    key(page, "chat_preset").get_by_role("radio").first.click()
    expect(said).to_contain_text("temperature 0.2")
    key(page, "chat_more").locator("summary").click()
    box = key(page, "chat_json").get_by_role("textbox")
    box.fill('{"seed": 7}')
    box.press("Control+Enter")
    expect(said).to_contain_text("temperature 0.2 · JSON")
    expect(box).to_be_visible()
    expect(key(page, "chat_temperature_zones")).to_contain_text("precise")

    page.reload()
    expect(said).to_contain_text("temperature 0.2 · JSON")
    heading.click()
    expect(key(page, "chat_more")).to_be_visible()
    key(page, "chat_more").locator("summary").click()
    expect(box).to_have_value('{"seed": 7}')


@pytest.mark.row("C25")
@pytest.mark.soak
def test_on_a_phone_the_sheet_closes_on_what_is_behind_it(app: AppServer, context: BrowserContext) -> None:
    page = open_page(context, link(app, "long-60"))
    page.set_viewport_size({"width": 390, "height": 844})
    send(page, "what is behind")
    ended(page)
    heading, temperature = key(page, "chat_settings").locator("summary").first, key(page, "chat_temperature")
    heading.click()
    key(page, "chat_temperature").get_by_role("slider").press("ArrowLeft")
    key(page, "chat_ask_again").get_by_role("button").click()
    expect(temperature).not_to_be_visible()
    expect(key(page, "answer_0_1")).to_be_visible()
    heading.click()
    expect(temperature).to_be_visible()
    place = key(page, "question_0").get_by_role("button", name="Edit").bounding_box()
    assert place
    page.mouse.click(place["x"] + 5, place["y"] + 5)
    expect(temperature).not_to_be_visible()
    expect(key(page, "question_0").locator("textarea")).to_have_count(0)
    heading.click()
    key(page, "chat_settings_done").get_by_role("button").click()
    expect(temperature).not_to_be_visible()

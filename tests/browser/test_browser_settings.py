"""The chat page's settings in a real browser: what stays open, and what outlives a reload."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.app_server import AppServer, app_server
from tests.browsing import browser, context, key, open_at
from tests.fake_api import FakeApi


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        yield api


@pytest.fixture(scope="module")
def running(api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with the fake service."""
    folder: Path = tmp_path_factory.mktemp("app") / "data"
    settings = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": "sk-test-key-0001"}
    with app_server(folder, TEMPERA_LOCAL_MODEL="false", **settings) as app:
        yield app


def test_the_panel_stays_open_while_its_heading_changes_and_the_fields_outlive_a_reload(
    running: AppServer, context: BrowserContext
) -> None:
    """C25 C29"""
    page = open_at(context, running.url, "chat_input")
    heading = key(page, "chat_settings").locator("summary").first
    heading.click()
    key(page, "chat_preset").get_by_role("radio").first.click()
    expect(heading).to_contain_text("temperature 0.2")
    key(page, "chat_more").locator("summary").click()
    box = key(page, "chat_json").get_by_role("textbox")
    box.fill('{"seed": 7}')
    box.press("Control+Enter")
    expect(heading).to_contain_text("temperature 0.2 · JSON")
    expect(box).to_be_visible()
    expect(key(page, "chat_temperature_zones")).to_contain_text("precise")

    page.reload()
    expect(heading).to_contain_text("temperature 0.2 · JSON")
    heading.click()
    key(page, "chat_more").locator("summary").click()
    expect(box).to_have_value('{"seed": 7}')

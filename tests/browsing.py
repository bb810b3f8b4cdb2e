"""What the browser tests share: a browser, a visitor nobody has seen, and how to find things on a page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.browser_path import chromium_path

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
SECONDS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor nobody has seen before."""
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(SECONDS)
    yield context
    context.close()


def key(page: Page, name: str) -> Locator:
    """What the app has under a widget's or a container's key."""
    return page.locator(f".st-key-{name}")


def open_at(context: BrowserContext, url: str, name: str) -> Page:
    """A new tab, when what has the key `name` is there."""
    page = context.new_page()
    page.goto(url)
    expect(key(page, name)).to_be_visible(timeout=SECONDS)
    return page

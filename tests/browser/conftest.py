"""What the browser tests share: a browser, a visitor nobody has seen, and apps that are started once for all."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.app_server import AppServer, app_server
from tests.browser_path import chromium_path
from tests.browsing import QUIET, SECONDS
from tests.fake_api import FakeApi
from tests.pages import KEY


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with these tests: while Playwright runs, no other test may start an event loop."""
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


@pytest.fixture(scope="package")
def api() -> Iterator[FakeApi]:
    """The fake service; each test finds its own requests by their text."""
    with FakeApi() as api:
        yield api


@pytest.fixture(scope="package")
def settings(api: FakeApi) -> dict[str, str]:
    """The settings of an app with the fake service and no practice model."""
    return {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_LOCAL_MODEL": "false"}


@pytest.fixture(scope="package")
def app(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with the fake service."""
    with app_server(tmp_path_factory.mktemp("app") / "data", **settings) as app:
        yield app


@pytest.fixture(scope="package")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as a stranger has it: no key, no configuration, the model on this computer."""
    with app_server(tmp_path_factory.mktemp("practice") / "data") as app:
        yield app

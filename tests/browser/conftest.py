"""What the browser tests share: a browser, a tab, a visitor nobody has seen, and apps that are started once for all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.app_server import AppServer, app_server, forked_app
from tests.browser_path import chromium_path
from tests.browsing import QUIET, SECONDS, NewChat, SharedTab
from tests.fake_api import FakeApi
from tests.pages import KEY

expect.set_options(timeout=SECONDS)  # a busy machine is slow, and what is there at once costs no waiting


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A browser's profile on disk: it keeps Streamlit's scripts compiled, a third of what opening a page takes."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="package")
def one_browser(profile: Path) -> Iterator[BrowserContext]:
    """Chromium. It ends with its folder: while Playwright runs, no other test can start an event loop."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium_path(),
            args=QUIET,
            locale="en-US",
            reduced_motion="reduce",
        )
        context.set_default_timeout(SECONDS)
        yield context
        context.close()


@pytest.fixture
def context(one_browser: BrowserContext) -> Iterator[BrowserContext]:
    """A visitor nobody has seen before: nothing is left of the last one but Streamlit's own files."""
    blank, *_ = one_browser.pages
    yield one_browser
    storage = one_browser.new_cdp_session(blank)
    for page in one_browser.pages[1:]:
        storage.send("Storage.clearDataForOrigin", {"origin": page.url, "storageTypes": "local_storage"})
        page.close()
    one_browser.clear_cookies()
    one_browser.clear_permissions()


@pytest.fixture
def browser(one_browser: BrowserContext) -> Browser:
    """For a test that needs another visitor beside the first, or one with other settings."""
    assert one_browser.browser
    return one_browser.browser


@pytest.fixture(scope="package")
def shared_tab(one_browser: BrowserContext) -> Iterator[SharedTab]:
    """The tab behind `chat`, of a visitor of its own."""
    assert one_browser.browser
    context = one_browser.browser.new_context(locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(SECONDS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield SharedTab(context)
    context.close()


@pytest.fixture
def chat(shared_tab: SharedTab, app: AppServer, request: pytest.FixtureRequest) -> NewChat:
    """Begins a new chat with a model in the tab that tests share: a third of what a tab of one's own costs."""
    # What a failed test leaves open is no affair of the next one.
    if request.session.testsfailed:
        shared_tab.close()
    return lambda model: shared_tab.new_chat(app, model)


@pytest.fixture(scope="session")
def api() -> Iterator[FakeApi]:
    """The fake service; each test finds its own requests by their text."""
    with FakeApi() as api:
        yield api


@pytest.fixture(scope="session")
def settings(api: FakeApi) -> dict[str, str]:
    """The settings of an app with the fake service and no practice model."""
    return {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_LOCAL_MODEL": "false"}


@pytest.fixture(scope="session")
def app(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with the fake service."""
    with forked_app(tmp_path_factory.mktemp("app") / "data", **settings) as app:
        yield app


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as a stranger has it: no key, no configuration, the model on this computer; started as they start it."""
    with app_server(tmp_path_factory.mktemp("practice") / "data") as app:
        yield app

"""What the browser tests share: a browser, a tab, a visitor nobody has seen, and apps that are started once for all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.app_server import AppServer, app_server, forked_app
from tests.browser_path import light_chromium_path
from tests.browsing import BLANK, QUIET, SECONDS, NewChat, SharedTab, forget_visitor, leave_tab
from tests.fake_api import FakeApi
from tests.pages import KEY
from tests.proxy import Proxy

expect.set_options(timeout=SECONDS)  # a busy machine is slow, and what is there at once costs no waiting


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A browser's profile on disk, which keeps Streamlit's scripts."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="package")
def one_browser(profile: Path) -> Iterator[BrowserContext]:
    """Chromium. It ends with its folder: while Playwright runs, no other test can start an event loop."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=light_chromium_path(),
            args=QUIET,
            locale="en-US",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(SECONDS)
        context.pages[0].goto("data:,")  # it stays: with its last tab a browser forgets its session's cookies
        yield context
        context.close()


@pytest.fixture(scope="session")
def front() -> Iterator[Proxy]:
    """The one address at which the browser finds each app: it keeps Streamlit's scripts for each address apart, and the
    first page at another one takes twice as long."""
    with Proxy() as front:
        yield front


@pytest.fixture
def context(one_browser: BrowserContext, front: Proxy, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A visitor nobody has seen before: nothing is left of the last one but Streamlit's own files, and an empty tab."""
    others = [page for page in one_browser.pages if page.url != BLANK]
    forget_visitor(one_browser, front.url)
    yield one_browser
    used = [page for page in one_browser.pages if page not in others and page.url != BLANK]
    # What a failed test leaves open is no affair of the next one.
    if used and not request.session.testsfailed:
        leave_tab(used.pop(0))
    for page in used:
        page.close()


@pytest.fixture(scope="package")
def shared_tab(one_browser: BrowserContext) -> Iterator[SharedTab]:
    """The tab behind `chat`."""
    tab = SharedTab(one_browser)
    yield tab
    tab.close()


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
def running_app(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with the fake service, at its own address."""
    with forked_app(tmp_path_factory.mktemp("app") / "data", **settings) as app:
        yield app


@pytest.fixture
def app(running_app: AppServer, front: Proxy) -> AppServer:
    """The app with the fake service."""
    return front.lead_to(running_app)


@pytest.fixture(scope="session")
def running_practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as a stranger has it, at its own address."""
    with app_server(tmp_path_factory.mktemp("practice") / "data") as app:
        yield app


@pytest.fixture
def practice(running_practice: AppServer, front: Proxy) -> AppServer:
    """The app as a stranger has it: no key, no configuration, the model on this computer; started as they start it."""
    return front.lead_to(running_practice)


@pytest.fixture
def made(running_made: tuple[AppServer, Any], front: Proxy) -> tuple[AppServer, Any]:
    """The app that a module has begun as `running_made`, as the browser finds it, and what is in it."""
    app, ids = running_made
    return front.lead_to(app), ids

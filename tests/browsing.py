"""What the browser tests share: how to open a page, find things on it, and send."""

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Request, TimeoutError, ViewportSize, expect

from lib.ui.chat.chat_state import SHOWN_TURNS
from lib.ui.chat.shown_turns import MORE
from tests.app_server import AppServer
from tests.fake_api import FakeApi, Recorded

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
SECONDS = 60_000
VIEWPORT: ViewportSize = {"width": 1280, "height": 720}
"""Playwright's own."""
BLANK = "about:blank"
CLIPBOARD_BECOMES = """async text => {
    const end = Date.now() + 5000;
    while (Date.now() < end) if (await navigator.clipboard.readText() === text) return true;
    return false;
}"""


def key(page: Page, name: str) -> Locator:
    """What the app has under a widget's or a container's key."""
    # While a run draws, Streamlit keeps what the last one drew elsewhere, hidden: for a moment it is there twice.
    return page.locator(f".st-key-{name}:not([data-retained])")


def cell(page: Page, place: str) -> Locator:
    """A cell of a sweep, or what is read of it, by `<row>_<column>_<repeat>`."""
    return key(page, "sweep_grid").locator(f'[data-cell="{place}"]')


def forget_visitor(context: BrowserContext, url: str) -> None:
    """Take away what pages at this address have left in the browser, but for Streamlit's own files. What a tab keeps
    for itself goes with the tab."""
    storage = context.new_cdp_session(new_tab(context))
    storage.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage,indexeddb"})
    storage.detach()
    context.clear_cookies()


def new_tab(context: BrowserContext) -> Page:
    """An empty tab, as if it were new: where an earlier test has left one it is that, as a process of its own for the
    page takes as long as the page."""
    page = next((page for page in context.pages if page.url == BLANK), None) or context.new_page()
    page.bring_to_front()  # the others are drawn once a second
    page.set_viewport_size(VIEWPORT)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return page


def leave_tab(page: Page) -> None:
    """Leave an empty tab to the next test: nothing that this one's page kept in it is there any more."""
    page.evaluate("() => { sessionStorage.clear(); Storage.prototype.setItem = () => {}; }")
    page.goto(BLANK)


def open_at(context: BrowserContext, url: str, name: str) -> Page:
    """A tab with this page, when what has the key `name` is there and can be pressed."""
    page = new_tab(context)
    page.goto(url)
    key(page, name).wait_for()
    # The first run's end draws a button anew, and one that goes between press and release hears no click.
    at_rest(page)
    return page


def open_page(context: BrowserContext, url: str) -> Page:
    """A tab on the chat page."""
    return open_at(context, url, "chat_input")


class SharedTab:
    """One tab in which test after test begins a chat, or opens a sweep, without the page being loaded anew."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._page: Page | None = None

    def new_chat(self, app: AppServer, model: str) -> Page:
        """The tab with an empty chat with `model`."""
        page = self._on(app)
        new_chat(page, app, model)
        return page

    def sweep(self, app: AppServer, id: str) -> Page:
        """The tab with a sweep."""
        page = self._on(app)
        go(page, f"{app.url}/sweep?sweep={id}", f"sweep_setup_{id}")
        # Where the test before had the same sweep open, its view stays.
        grid = key(page, "sweep_view").get_by_role("radio", name="Grid")
        if grid.get_attribute("aria-checked") == "false":
            grid.click()
        key(page, "sweep_grid").locator(".answers > *").wait_for()
        at_rest(page)
        return page

    def _on(self, app: AppServer) -> Page:
        if self._page is None or self._page.is_closed():
            # The last visitor may have left a sweep open.
            forget_visitor(self._context, app.url)
            self._page = open_page(self._context, app.url)
        self._page.bring_to_front()
        self._page.set_viewport_size(VIEWPORT)
        return self._page

    def close(self) -> None:
        """The next test has a new one."""
        if self._page:
            self._page.close()
            self._page = None


NewChat = Callable[[str], Page]
"""What the fixture `chat` gives: begins a chat with a model."""
_used = itertools.count()


def go(page: Page, url: str, shown: str = "") -> None:
    """Go to another address of the app, as Back and Forward do, and wait until the app has taken it in. A link and
    `/?chat=`, for a new chat, are taken out of the address then; any other address stays as it is, and what it opens
    is waited for: `shown` is the key of something in that."""
    assert shown or "model" in url or url.endswith("chat="), "a step that follows at once would be taken in its place"
    # A tab follows each link once.
    url += f"&used={next(_used)}" if "model" in url else ""
    page.evaluate("url => { history.pushState({}, '', url); dispatchEvent(new PopStateEvent('popstate')); }", url)
    page.wait_for_url(lambda address: "used=" not in address and not address.endswith("chat="))
    if shown:
        key(page, shown).wait_for(state="attached")
    at_rest(page)


def new_chat(page: Page, app: AppServer, model: str) -> None:
    """Begin an empty chat with `model` in a page that is open, the only one in the list."""
    delete_chats(app)
    go(page, f"{app.url}/?chat=")
    # It begins with the model that was used last.
    if key(page, "chat_model").get_by_role("combobox").input_value() != model:
        go(page, link(app, model))
    # What was typed is not lost with a new chat, and settings stay open.
    composer(page).clear()
    settings = key(page, "chat_settings")
    if settings.locator("details[open]").count():
        settings.locator("summary").first.click()
        expect(settings.locator("details[open]")).to_have_count(0)


def delete_chats(app: AppServer) -> None:
    """Delete all chats: each one in the list is drawn with each run, and with forty a page takes twice as long."""
    with closing(sqlite3.connect(app.data_dir / "tempera.db")) as file, file:
        file.execute("UPDATE chats SET deleted_at = updated_at WHERE deleted_at IS NULL")


def at_rest(page: Page) -> None:
    """Wait until no script runs, so that nothing is drawn anew under a key press."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    # Streamlit fetches the code of a kind of field when a page has the first; its grey place is lower than the field.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


@contextmanager
def in_language(page: Page, locale: str) -> Iterator[None]:
    """Let the browser ask for another language in this tab, as its settings would in all."""
    chromium = page.context.new_cdp_session(page)
    agent = {"userAgent": page.evaluate("navigator.userAgent"), "acceptLanguage": locale}
    chromium.send("Emulation.setUserAgentOverride", agent)
    yield
    chromium.detach()


def composer(page: Page) -> Locator:
    """The field for the next message."""
    return page.get_by_test_id("stChatInputTextArea")


def send(page: Page, text: str) -> None:
    """Type a message and press Enter."""
    composer(page).fill(text)
    composer(page).press("Enter")


def press_until(page: Page, keys: str, shown: Locator) -> None:
    """Press a button's keys until they are heard, which is a moment after it is drawn, and `shown` is there."""
    for _attempt in range(20):
        page.keyboard.press(keys)
        with suppress(TimeoutError):
            shown.wait_for(timeout=3_000)
            break
    expect(shown).to_be_visible()


def ended(page: Page) -> None:
    """Wait until the last answer has ended."""
    key(page, "chat_regenerate").wait_for()


def link(app: AppServer, model: str, prompt: str = "") -> str:
    """The chat page with this model chosen."""
    return f"{app.url}/?model={model}&prompt={prompt}"


def asked(api: FakeApi, text: str) -> list[Recorded]:
    """The chat requests whose last message is `text`."""
    chats = [request for request in api.requests if request.path.endswith("/chat/completions")]
    return [request for request in chats if [one["content"] for one in request.body["messages"]][-1:] == [text]]


def bring_in(page: Page, pairs: list[tuple[str, str]], folder: Path, title: str = "Brought in") -> None:
    """Bring in a chat in which each first text was asked and each second one answered."""
    roles = ("user", "assistant")
    messages = [{"role": role, "content": text} for pair in pairs for role, text in zip(roles, pair, strict=True)]
    file = folder / "chat.json"
    file.write_text(json.dumps({"tempera": 1, "title": title, "messages": messages}), "utf-8")
    key(page, "chat_bring_in").locator("summary").click()
    page.locator("input[type=file][accept*=json]").first.set_input_files(file)
    key(page, f"answer_{len(pairs) - 1}").wait_for()
    key(page, f"edit_{2 * len(pairs) - 2}").wait_for()
    shown = page.get_by_test_id("stChatMessage")
    for drawn in range(SHOWN_TURNS, 2 * len(pairs), MORE):
        expect(shown).to_have_count(drawn)
        scroll_to_the_top(page)
        expect(shown).to_have_count(min(2 * len(pairs), drawn + MORE))


def scroll_to_the_top(page: Page) -> None:
    """As a wheel does it; what was said before is drawn then."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.locator(".stMain").hover()
    page.mouse.wheel(0, -1_000_000)


def heard_elsewhere(page: Page, app: AppServer) -> list[str]:
    """What a page does from now on that it must not: addresses of requests elsewhere, texts of dialogs."""
    heard: list[str] = []
    own = (app.url, app.url.replace("http", "ws", 1), "data:", "blob:")

    def asked(request: Request) -> None:
        if not request.url.startswith(own):
            heard.append(request.url)

    def opened(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    page.on("request", asked)
    page.on("dialog", opened)
    return heard

"""What the browser tests share: how to open a page, find things on it, and send."""

from playwright.sync_api import BrowserContext, Locator, Page, expect

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
CLIPBOARD_BECOMES = """async text => {
    const end = Date.now() + 5000;
    while (Date.now() < end) if (await navigator.clipboard.readText() === text) return true;
    return false;
}"""


def key(page: Page, name: str) -> Locator:
    """What the app has under a widget's or a container's key."""
    return page.locator(f".st-key-{name}")


def open_at(context: BrowserContext, url: str, name: str) -> Page:
    """A new tab, when what has the key `name` is there."""
    page = context.new_page()
    page.goto(url)
    expect(key(page, name)).to_be_visible()
    return page


def open_page(context: BrowserContext, url: str) -> Page:
    """A new tab on the chat page."""
    return open_at(context, url, "chat_input")


def composer(page: Page) -> Locator:
    """The field for the next message."""
    return page.get_by_test_id("stChatInputTextArea")


def send(page: Page, text: str) -> None:
    """Type a message and press Enter."""
    composer(page).fill(text)
    composer(page).press("Enter")


def ended(page: Page) -> None:
    """Wait until the last answer has ended."""
    expect(key(page, "chat_regenerate")).to_be_visible()


def link(app: AppServer, model: str, prompt: str = "") -> str:
    """The chat page with this model chosen."""
    return f"{app.url}/?model={model}&prompt={prompt}"


def asked(api: FakeApi, text: str) -> list[Recorded]:
    """The chat requests whose last message is `text`."""
    chats = [request for request in api.requests if request.path.endswith("/chat/completions")]
    return [request for request in chats if [one["content"] for one in request.body["messages"]][-1:] == [text]]

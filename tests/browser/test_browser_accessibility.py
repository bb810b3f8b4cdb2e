"""Nobody is shut out by colours or by names that only a screen has: axe-core finds nothing on any page, light and dark,
in both languages."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer
from tests.browsing import at_rest, composer, ended, go, in_language, key, link, new_tab, press_until, send

NOT_OURS = {
    # Streamlit draws what lies over a page, menus for one, outside of its landmarks: a good practice, no rule of WCAG.
    "region",
    # Its tables are drawn on a canvas, and the one for screen readers has no name for the column of row numbers.
    "empty-table-header",
}
ANSWER = (
    "# Head\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`code` [link](https://example.com)\n\n> said\n\n```python\nx = 1\n```"
)
AT_ONCE = "*, *::before, *::after { transition: none !important; animation-duration: 0s !important }"
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules of axe's that look at colours: what the others look at is the same in the dark."""
NAME_OF_AN_ICON = re.compile(r"[a-z_]+ icon\b")


def found(page: Page, part: str | None = None) -> list[str]:
    """What axe finds on the page as it is, or in a part of it; light and dark."""
    problems = []
    page.add_style_tag(content=AT_ONCE)  # a colour on its way to another one is neither
    for scheme, rules in (("light", {}), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        for problem in Axe().run(page, part, {"resultTypes": ["violations"], **rules}).response["violations"]:
            if problem["id"] not in NOT_OURS:
                problems += [f"{scheme} {problem['id']}: {node['html'][:150]}" for node in problem["nodes"]]
    return problems


def names(page: Page) -> list[str]:
    """The buttons and fields as a screen reader says them, where that is the name of an icon."""
    said = page.locator("body").aria_snapshot()
    return [line for line in said.splitlines() if re.match(r"\s*- (button|link|textbox|combobox|dialog)", line)]


@pytest.fixture
def page(context: BrowserContext, locale: str) -> Iterator[Page]:
    page = new_tab(context)
    with in_language(page, locale):
        yield page


@pytest.mark.row("X8")
# In Chinese everything but the words is the same, and takes a minute once more.
@pytest.mark.parametrize(
    ("locale", "states"),
    [
        ("en-US", ("the settings", "a sweep")),
        pytest.param("en-US", (), marks=pytest.mark.soak),
        pytest.param("zh-CN", (), marks=pytest.mark.soak),
    ],
    ids=["some", "all", "all in Chinese"],
)
def test_no_page_shuts_anybody_out(
    app: AppServer, page: Page, locale: str, states: tuple[str, ...], subtests: pytest.Subtests
) -> None:
    """In these states of the pages; where none are named, in all of them. Beside the settings stands an answer."""

    def look(state: str, part: str | None = None) -> None:
        at_rest(page)
        if states and state not in states:
            return
        with subtests.test(state):
            assert found(page, part) == []
            assert [name for name in names(page) if NAME_OF_AN_ICON.search(name)] == []

    page.goto(link(app, "echo"))
    expect(composer(page)).to_be_visible()
    look("an empty chat")
    send(page, ANSWER)
    ended(page)
    look("an answer")
    key(page, "chat_settings").locator("summary").first.click()
    expect(key(page, "chat_temperature")).to_be_visible()
    look("the settings")
    if not states:
        what_opens(page, look)
    go(page, f"{app.url}/sweep?models=echo&temperatures=0,1&repeats=2&prompt={locale}{len(states)}")
    expect(key(page, "sweep_run")).to_be_visible()
    look("an empty sweep")
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_csv")).to_be_visible()
    look("a sweep")
    if states:
        return
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(app.url)))
    page.goto(f"{app.url}/usage")
    expect(key(page, "usage_tiles")).to_be_visible()
    assert "/_stcore/health" in asked and "/usage/_stcore/health" not in asked, "the server is asked where it is"
    look("usage")


def what_opens(page: Page, look: Callable[..., None]) -> None:
    """The dialogs and the menu, with an answer on the page."""
    key(page, "figures_0").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("its figures", "[role=dialog]")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press_until(page, "Control+K", key(page, "connection_save"))
    look("the connection", "[role=dialog]")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    key(page, "menu").get_by_role("button").click()
    expect(key(page, "help_open")).to_be_visible()
    look("the menu")
    key(page, "help_open").get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_text("OpenAI")).to_be_visible()
    expect(key(page, "help_keys")).to_be_visible()
    expect(key(page, "help_touch")).not_to_be_visible()
    look("help", "[role=dialog]")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

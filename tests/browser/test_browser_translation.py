"""A browser that translates the page while an answer is written, and the language that the page says it is in."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer
from tests.browsing import SECONDS, at_rest, ended, in_language, key, link, new_tab, open_page, send
from tests.proxy import Proxy

TRANSLATE = """() => {
    const translatable = node => {
        for (let at = node.parentElement; at; at = at.parentElement) {
            if (at.getAttribute("translate") === "no") return false;
            if (["SCRIPT", "STYLE", "TEXTAREA", "FONT", "CODE"].includes(at.tagName)) return false;
        }
        return node.nodeValue.trim() !== "";
    };
    setInterval(() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode()) if (translatable(walker.currentNode)) found.push(walker.currentNode);
        for (const node of found) {
            const outer = document.createElement("font"), inner = document.createElement("font");
            inner.textContent = node.nodeValue.toUpperCase();
            outer.append(inner);
            node.replaceWith(outer);
        }
    }, 50);
}"""
"""What Chromium's translation does to a page: text moves into two `font` elements, again and again as it changes."""
REMOVE_WHAT_WAS_MOVED = """() => {
    const place = document.createElement("p"), text = new Text("old");
    place.append(text);
    const font = document.createElement("font");
    text.replaceWith(font);
    font.append(text);
    place.insertBefore(new Text("new"), text);
    place.removeChild(text);
    return place.textContent;
}"""


def answer(page: Page) -> str:
    """The answer's text, whatever a translation made of its letters."""
    return " ".join(key(page, "answer_0").inner_text().lower().split())


@pytest.mark.soak
def test_a_translation_while_an_answer_streams_breaks_nothing(app: AppServer, context: BrowserContext) -> None:
    text = "translate me " + "word " * 60
    page = open_page(context, link(app, "slow-50"))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(TRANSLATE)
    send(page, text)
    expect(key(page, "chat_stop")).to_be_visible(timeout=SECONDS)
    expect(page.locator("body")).to_have_attribute("translate", "no")
    ended(page)
    expect(page.locator("body")).to_have_attribute("translate", "yes")

    assert answer(page) == "you said: " + " ".join(text.split())
    assert errors == []
    expect(page.get_by_test_id("stException")).to_have_count(0)
    # At rest it is translated, and what stands there translated can be replaced.
    expect(key(page, "answer_0").locator("font").first).to_be_attached()
    key(page, "edit_0").get_by_role("button").click()
    key(page, "edited_message").get_by_role("textbox").fill("**Bold** and `code`\n\n1. one\n2. two")
    key(page, "edit_send").get_by_role("button").click()
    expect(key(page, "answer_0")).to_contain_text("two", ignore_case=True, timeout=SECONDS)
    ended(page)
    assert errors == []
    expect(key(page, "answer_0").locator("li")).to_have_count(2)


def test_the_page_says_its_language_and_bears_a_translation_and_a_slow_line_whose_head_comes_before_its_body(
    context: BrowserContext, bare_app: AppServer, front: Proxy
) -> None:
    """React removes nodes, and inserts others before them, though a translation has moved them: an error there empties
    the page (facebook/react#11538)."""
    # Not the app of the other tests: there a language may have been chosen, which goes before the browser's.
    app = front.lead_to(bare_app)
    page = new_tab(context)
    with in_language(page, "zh-CN"):
        page.goto(app.url)
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    at_rest(page)
    assert page.evaluate(REMOVE_WHAT_WAS_MOVED) == "oldnew"

    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # As it is then, for longer than it takes until the page is looked at again.
    page.evaluate("() => new Promise(done => { document.body.remove(); setTimeout(done, 500); })")
    assert errors == []

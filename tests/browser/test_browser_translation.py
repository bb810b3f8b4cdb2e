"""A browser that translates the page while an answer is written, and the language that the page says it is in."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer
from tests.browsing import SECONDS, ended, key, link, open_page, send

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


def answer(page: Page) -> str:
    """The answer's text, whatever a translation made of its letters."""
    return " ".join(key(page, "answer_0").inner_text().lower().split())


def test_a_translation_while_an_answer_streams_breaks_nothing(app: AppServer, context: BrowserContext) -> None:
    text = "translate me " + "word " * 60
    page = open_page(context, link(app, "slow-50"))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(TRANSLATE)
    send(page, text)
    expect(key(page, "chat_stop")).to_be_visible(timeout=SECONDS)
    page.wait_for_function("document.body.translate === false")
    ended(page)
    page.wait_for_function("document.body.translate === true")

    assert answer(page) == "you said: " + " ".join(text.split())
    assert errors == []
    expect(page.get_by_test_id("stException")).to_have_count(0)
    # At rest it is translated, and the page goes on working.
    page.wait_for_function("document.querySelector('.st-key-answer_0 font') !== null")
    send(page, "again")
    expect(key(page, "answer_1")).to_contain_text("again", ignore_case=True, timeout=SECONDS)
    ended(page)
    assert errors == []


@pytest.mark.parametrize(("locale", "expected"), [("en-US", "en"), ("zh-CN", "zh-Hans")])
def test_the_page_says_its_language(app: AppServer, context: BrowserContext, locale: str, expected: str) -> None:
    with context.browser.new_context(locale=locale) as visitor:  # type: ignore[union-attr]
        page = open_page(visitor, app.url)
        page.wait_for_function("expected => document.documentElement.lang === expected", arg=expected)

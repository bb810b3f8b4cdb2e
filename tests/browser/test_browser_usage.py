"""The usage page in a browser: from a row of its tables to one call, and back to where it was made."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, TimeoutError, expect

from tests.app_server import AppServer
from tests.browsing import SECONDS, VIEWPORT, at_rest, ended, key, link, open_page, send

ROW = 52
OPEN, INPUT, OUTPUT = 0.03, 0.25, 0.45
"""Places in a table's first row, as shares of its width: its button, and two prices. Tables are drawn, not made of
elements."""


def click(table: Locator, share: float, timeout: float = SECONDS) -> None:
    """Click into the first row."""
    box = table.bounding_box()
    assert box
    table.click(position={"x": share * box["width"], "y": ROW}, timeout=timeout)


@pytest.fixture
def page(app: AppServer, context: BrowserContext) -> Page:
    """The page after one call of this visitor's."""
    page = open_page(context, link(app, "echo"))
    send(page, "How warm is tea at four?")
    ended(page)
    key(page, "frame").get_by_role("link", name="Usage").click()
    return page


@pytest.mark.row("U12")
@pytest.mark.soak
def test_a_row_opens_its_call_which_goes_on_in_chat(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 340})  # what is opened lies below
    whole = page.get_by_test_id("stMainBlockContainer")
    whole.evaluate("one => (one.style.cssText = 'max-height: 350px; overflow: clip')")  # as while it is being drawn
    key(page, "usage_open_all").get_by_role("button").click()
    whole.evaluate("one => (one.style.cssText = '')")
    table = key(page, "usage_calls").get_by_test_id("stDataFrame")
    expect(table).to_be_in_viewport(ratio=0.9)
    page.set_viewport_size(VIEWPORT)
    dialog = page.get_by_role("dialog")
    for _attempt in range(20):
        at_rest(page)
        with suppress(TimeoutError):
            if not dialog.count():  # where it was only late, nothing below it can be pressed again
                # It is lost while the table is drawn anew, as after a change of its size.
                click(table, OPEN, timeout=3_000)
            dialog.wait_for(timeout=3_000)
            break
    expect(dialog).to_contain_text("Output tokens (completion)")
    key(page, "usage_continue").get_by_role("button").click()

    expect(key(page, "chat_regenerate")).to_be_visible()
    expect(key(page, "question_0")).to_contain_text("How warm is tea at four?")


@pytest.mark.row("U12")
@pytest.mark.soak
def test_a_row_filters_the_page_and_a_filter_taken_off_stays_off(page: Page) -> None:
    click(key(page, "usage_models").get_by_test_id("stDataFrame"), OPEN)
    expect(key(page, "usage_chip_0")).to_be_visible()
    assert "model=echo" in page.url

    filters = page.get_by_role("button", name="Filters")
    filters.click()
    ways = key(page, "usage_filter_outcomes")
    ways.get_by_role("combobox").click()
    page.get_by_role("option", name="whole answer").click()
    expect(key(page, "usage_chip_2")).to_be_visible()
    page.keyboard.press("Escape")  # the list of options
    page.keyboard.press("Escape")  # the popover
    expect(ways).to_be_hidden()
    for left in (2, 1, 0):
        key(page, "usage_chip_0").get_by_role("button").click()
        expect(key(page, f"usage_chip_{left}")).to_have_count(0)
    for section in ("All calls", "Overview"):
        key(page, "usage_more").get_by_text(section).click()
        at_rest(page)
        expect(key(page, "usage_chip_0"), "a filter taken off stays off").to_have_count(0)
    assert "ended=" not in page.url and "model=" not in page.url


@pytest.mark.row("U6")
@pytest.mark.soak
def test_a_price_is_typed_into_the_table_and_earlier_calls_get_it(page: Page) -> None:
    key(page, "usage_more").get_by_text("Check the bill").click()
    prices = key(page, "usage_bill").get_by_test_id("stDataFrame").first
    for cell, typed in ((INPUT, "2"), (OUTPUT, "4")):
        at_rest(page)  # a click while the table is drawn anew is lost
        click(prices, cell)
        page.keyboard.press("Enter")
        page.locator("#portal input").fill(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#portal input")).to_have_count(0)
    reprice = key(page, "usage_reprice").get_by_role("button")
    expect(reprice).to_contain_text(re.compile("earlier calls? too"))
    at_rest(page)  # else the button is drawn anew under the click
    at_rest(page)
    reprice.click()
    expect(key(page, "usage_tiles")).to_contain_text("$0.00")

"""Sweep and Usage in a real browser: the grid fills, survives everything, and the numbers add up."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer, forked_app
from tests.browsing import at_rest, cell, key, open_at
from tests.fake_api import FakeApi
from tests.pages import KEY, host
from tests.proxy import Proxy


def sweep_url(url: str, models: str, temperatures: str, repeats: int, concurrency: int = 4) -> str:
    more = f"&repeats={repeats}&concurrency={concurrency}&prompt=Praise%20tea%20in%20one%20sentence."
    return f"{url}/sweep?models={models}&temperatures={temperatures}{more}"


# How many lines were there at most that say how far a sweep is.
MOST_LINES = """() => {
    window.most = 0;
    const count = () => document.querySelectorAll(".st-key-sweep_progress:not([data-retained])").length;
    new MutationObserver(() => { window.most = Math.max(window.most, count()); })
        .observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def run(page: Page) -> None:
    key(page, "sweep_run").get_by_role("button").click()


def progress(page: Page, words: str) -> None:
    """Wait until the progress line says `words`."""
    expect(key(page, "sweep_progress")).to_contain_text(re.compile(words))


@pytest.mark.row("S6", "S12", "S13", "U1")
@pytest.mark.soak
def test_a_sweep_on_the_practice_model_survives_a_reload_and_other_pages(
    practice: AppServer, context: BrowserContext
) -> None:
    url = sweep_url(practice.url, "local/SmolLM2-135M-Instruct", "0,1", 2, 2)
    page = open_at(context, f"{url}&max_tokens=16", "sweep_run")
    run(page)
    progress(page, "[1-3] of 4|(?<!of )4 answers")
    page.reload()
    expect(cell(page, "0_0_0")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    expect(key(page, "chat_input")).to_be_visible()
    page.get_by_role("link", name="Sweep").click()
    expect(cell(page, "0_0_0")).to_be_visible()
    progress(page, "(?<!of )4 answers")
    expect(key(page, "sweep_csv")).to_be_visible()
    page.get_by_role("link", name="Usage").click()
    expect(key(page, "usage_models")).to_be_visible()

    expect(key(page, "usage_tiles").get_by_test_id("stMetricValue").nth(3)).to_have_text("4")


@pytest.mark.row("S12")
@pytest.mark.soak
def test_a_kill_in_a_sweep_of_40_loses_and_repeats_nothing(
    context: BrowserContext, front: Proxy, tmp_path: Path
) -> None:
    with FakeApi() as api:
        settings = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_LOCAL_MODEL": "false"}
        with forked_app(tmp_path / "data", **settings) as running:
            app = front.lead_to(running)
            page = open_at(context, sweep_url(app.url, f"{host(api)}/slow-50", "0,0.5,1,1.5", 10, 4), "sweep_run")
            run(page)
            progress(page, "[1-3][0-9] of 40")
            running.kill()
        before = len(api.requests)
        with forked_app(tmp_path / "data", **settings) as running:
            page = open_at(context, f"{front.lead_to(running).url}/sweep", "sweep_resume")
            expect(key(page, "sweep_resume")).to_contain_text(re.compile(r"\d"))
            missing = int(re.findall(r"\d+", key(page, "sweep_resume").inner_text())[0])
            assert [one for one in api.requests[before:] if one.path.endswith("/chat/completions")] == []
            key(page, "sweep_resume").get_by_role("button").click()
            progress(page, "(?<!of )40 answers")
        again = [one for one in api.requests[before:] if one.path.endswith("/chat/completions")]

    assert len(again) == missing


def type_into(page: Page, cell: str, text: str) -> None:
    """Type into the cell of a table that has been chosen by now."""
    expect(page.locator(f"#glide-cell-{cell}[aria-selected=true]")).to_be_attached()
    page.keyboard.press("Enter")
    field = page.locator("#portal textarea")
    expect(field).to_be_focused()
    page.keyboard.type(text)
    expect(field).to_have_value(text)  # Enter takes what the table has heard of by then
    at_rest(page)
    page.keyboard.press("Enter")
    expect(field).to_have_count(0)


@pytest.mark.row("S5")
@pytest.mark.soak
def test_a_variable_brings_its_list_while_one_types_and_the_list_is_typed_in(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    models = f"{host(api)}/echo,{host(api)}/json"
    page = open_at(context, f"{app.url}/sweep?models={models}&temperatures=0&repeats=1", "sweep_run")
    field = key(page, "sweep_prompt").locator("textarea")
    field.fill("")  # a form begins with what was run last
    page.keyboard.type("Say {{word}} now")
    table = key(page, "sweep_inputs_box").get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("Say {{word}} now")
    key(page, "sweep_models").get_by_role("button", name="Remove").last.click()
    expect(key(page, "sweep_models").get_by_role("button", name="Remove")).to_have_count(1)
    at_rest(page)  # the prompt was left by that click, and the page is drawn anew
    # Tab, and a press that comes with the pointer, as a pen's does: the table has seen the pointer elsewhere only.
    table.get_by_role("button").last.focus()
    page.keyboard.press("Tab")
    type_into(page, "1-0", "red")
    expect(page.locator("#glide-cell-1-1[aria-selected=true]")).to_be_attached()
    key(page, "sweep_prompt").locator("textarea").hover()
    at_rest(page)
    # Enter has chosen the cell before that one, and the table still has the focus.
    table.locator(".dvn-scroller").click(position={"x": 120, "y": 121})
    type_into(page, "1-2", "blue")
    expect(key(page, "sweep_run")).to_contain_text("Run 2 answers")
    run(page)
    progress(page, "(?<!of )2 answers")
    sent = [request.body["messages"][-1]["content"] for request in api.requests if request.body]
    assert {"Say red now", "Say blue now"} <= set(sent)


@pytest.mark.soak
def test_how_a_sweep_stands_is_told_once_also_while_its_end_is_drawn(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    page = open_at(context, sweep_url(app.url, f"{host(api)}/slow-400,{host(api)}/slow-300", "0,1", 2, 4), "sweep_run")
    page.evaluate(MOST_LINES)
    run(page)
    expect(key(page, "sweep_stop")).to_be_visible()
    expect(key(page, "sweep_stop")).to_have_count(0)
    at_rest(page)
    assert page.evaluate("window.most") == 1

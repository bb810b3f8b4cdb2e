"""A sweep's answers in a real browser: the grid, reading side by side, what is found in them and saved of them."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from lib.core.reply import Delta, Reply
from lib.store.database import Store
from lib.sweep.plan import Cell
from tests.app_server import AppServer
from tests.browsing import (
    CLIPBOARD_BECOMES,
    SharedTab,
    asked,
    at_rest,
    cell,
    go,
    heard_elsewhere,
    key,
    new_tab,
    open_at,
    send,
)
from tests.fake_api import FakeApi
from tests.made_sweeps import MODELS, app_with_sweeps, make_sweep, odd_answer
from tests.pages import host

TEMPERATURES = (0, 0.3, 0.7, 1.0, 1.5)
BIG = "6 x 5 x 4"
HOSTILE = "hostile"
FORMULAS = "formulas"
LONG = "lorem ipsum " * 17_000
TEXTS = {
    0: LONG,
    1: "# Title\n\n| a | b |\n|---|---|\n| <b>1</b> | ![x](https://evil.example/a.png) |\n\n```js\nalert(1)\n```",
    2: "\x1b[31mred\x1b[0m \x00 \x07 \u202eabc\u202c \u2066x\u2069 zero\u200bwidth",
    3: "שלום עולם\n\n- אחת\n- שתיים",
    4: "<img src=x onerror=alert(1)><script>alert(2)</script><style>*{display:none}</style>",
}
PRESSED = """pill => {
    pill.closest("button").click();
    const inside = [...document.querySelectorAll(".st-key-sweep_grid *")].map(one => one.shadowRoot).find(Boolean);
    return inside.querySelectorAll("[data-cell]").length;
}"""
"""Presses a button, and says how many answers are in the page before anybody else has heard of it."""
READ_ONCE_PRESSED = """one => {
    one.closest("button").click();
    const inside = [...document.querySelectorAll(".st-key-sweep_grid *")].map(one => one.shadowRoot).find(Boolean);
    return inside.querySelectorAll(".column .text").length;
}"""
"""The same for answers that can be read."""

EVERYTHING = """() => {
    const all = root => [...root.querySelectorAll("*")];
    const under = root => [root, ...all(root).flatMap(one => one.shadowRoot ? under(one.shadowRoot) : [])];
    const values = root => all(root).map(one => one.value ?? "");
    const html = root => root.documentElement?.outerHTML ?? root.innerHTML;
    return under(document).flatMap(root => [html(root), ...values(root)]).join(" ");
}"""
"""All elements of the page with their attributes, those of the component too, and what stands in fields."""
CUT_OR_WHOLE = """all => all.some(one => one.matches(".long")) && all.every(one =>
    one.scrollHeight > one.clientHeight * (one.matches(".long") ? 1.2 : 1.05) === one.matches(".long"))"""
"""Whether some texts fade out, and of those many lines are out of sight, and of the others none."""
OpenSweep = Callable[[str], Page]
NAMED = "named"
NAMES = ("maker-alpha", "vendor/maker-beta", "maker-gamma")


def of_somebody_else(cell: Cell) -> Reply:
    """An answer by another model than was asked, or a service's word that names the model."""
    if cell.repeat == 0:
        words = f"The model `{cell.model.partition('/')[2]}` does not exist"
        record = {"what": f"{words}.", "do": "Choose another.", "facts": {}}
        return Reply(state="error", seconds=1.0, error_kind="unknown_model", error_text=words, error_record=record)
    reply = Reply(state="ok", seconds=1.0, cost=0.001, cost_source="list", model=f"answerer-{cell.row}")
    reply.add(Delta(text="A good answer.", finish_reason="stop"))
    return reply


def hostile(cell: Cell) -> Reply:
    reply = Reply(state="ok", seconds=1.0)
    reply.add(Delta(text=TEXTS[cell.row], finish_reason="stop"))
    return reply


def failed(cell: Cell) -> Reply:
    error = {"what": "The service is busy.", "do": "Try again in a moment.", "facts": {}}
    return Reply(state="error", seconds=1.0, error_kind="rate_limit", error_text="429", error_record=error)


def with_formulas(cell: Cell) -> Reply:
    word = "cold" if cell.column else "warm"
    text = (
        f"With $\\frac{{a}}{{b}}$ and $$\\sum_{{i=1}}^n i^2$$ it is {word}, but $\\href{{http://evil.example}}{{x^2}}$."
    )
    reply = Reply(state="ok", seconds=1.0)
    reply.add(Delta(text=text + " So $\\unknown{x}$ is.", finish_reason="stop"))
    return reply


def equal(cell: Cell) -> Reply:
    reply = Reply(state="ok", seconds=1.0, cost=0.001, cost_source="list")
    reply.add(Delta(text="Always the same.", finish_reason="stop"))
    return reply


def sweeps(store: Store) -> dict[str, str]:
    return {
        BIG: make_sweep(store, MODELS[:6], TEMPERATURES, 4, odd_answer),
        HOSTILE: make_sweep(store, [f"<img src=x onerror=alert({n})>" for n in TEXTS], (0, 1), 1, hostile),
        NAMED: make_sweep(store, NAMES, (0, 1), 4, of_somebody_else),
        "failed": make_sweep(store, MODELS[:2], (0, 1), 2, failed),
        FORMULAS: make_sweep(store, MODELS[:2], (0, 1), 1, with_formulas),
        "equal": make_sweep(store, MODELS[:2], (0, 1), 3, equal),
    }


@pytest.fixture(scope="module")
def running_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, dict[str, str]]]:
    """An app at its own address whose store has sweeps that have run, and their ids."""
    with app_with_sweeps(tmp_path_factory.mktemp("made") / "data", sweeps) as made:
        yield made


@pytest.fixture(scope="module")
def sweeps_tab(one_browser: BrowserContext) -> Iterator[SharedTab]:
    """The tab behind `sweep`."""
    tab = SharedTab(one_browser)
    yield tab
    tab.close()


@pytest.fixture
def sweep(sweeps_tab: SharedTab, made: tuple[AppServer, dict[str, str]], request: pytest.FixtureRequest) -> OpenSweep:
    """Opens a sweep by its name in the tab that tests share."""
    # What a failed test leaves open is no affair of the next one.
    if request.session.testsfailed:
        sweeps_tab.close()
    app, ids = made
    return lambda name: sweeps_tab.sweep(app, ids[name])


def open_sweep(context: BrowserContext, made: tuple[AppServer, dict[str, str]], name: str, query: str = "") -> Page:
    app, ids = made
    page = open_at(context, f"{app.url}/sweep?sweep={ids[name]}{query}", "sweep_grid")
    expect(page.locator(".answers > *")).to_be_visible()
    return page


def shown_cells(page: Page) -> Locator:
    return key(page, "sweep_grid").locator("[data-cell]")


def box(place: Locator) -> tuple[float, float]:
    found = place.bounding_box()
    assert found
    return found["x"], found["y"]


def top(page: Page, name: str) -> float:
    """How far down something with this key begins."""
    return box(key(page, name))[1]


def height_of(place: Locator) -> float:
    return (place.bounding_box() or {"height": 0.0})["height"]


def height(page: Page, place: str) -> float:
    """Of a place of the grid, by `<row>_<column>`, and so of the row it stands in."""
    return float(key(page, "sweep_grid").locator(f"[data-place='{place}']").evaluate("one => one.offsetHeight"))


def middle(place: Locator) -> tuple[float, float]:
    place.scroll_into_view_if_needed()
    found = place.bounding_box()
    assert found
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


def focused(page: Page) -> str:
    """The cell, or the place of the grid, that has the focus."""
    return str(
        page.evaluate(
            """() => {
                const all = [...document.querySelectorAll(".st-key-sweep_grid *")];
                const root = all.map(one => one.shadowRoot).find(Boolean);
                const one = root?.activeElement;
                return one?.dataset.place ?? one?.dataset.cell ?? one?.closest("[data-cell]")?.dataset.cell ?? "";
            }"""
        )
    )


@pytest.mark.row("S13", "S15", "S16", "S30")
def test_the_grid_holds_all_answers_is_walked_with_the_keyboard_and_is_cards_on_a_phone(
    subtests: pytest.Subtests, made: tuple[AppServer, dict[str, str]], sweep: OpenSweep
) -> None:
    page = sweep(BIG)
    grid = key(page, "sweep_grid").get_by_role("grid")
    with subtests.test("how far the sweep came is read whole in the list"):
        about = key(page, f"sweep_open_{made[1][BIG]}").locator("p > span").first
        expect(about).to_have_text("6 × 5 × 4 · 112/120 · 8 failed")
        ends = "one => Math.max(...[...one.getClientRects()].map(line => line.right))"
        assert about.evaluate(ends) <= about.evaluate("one => one.closest('button').getBoundingClientRect().right")
    with subtests.test("models are columns in order, temperatures rows in order"):
        assert grid.get_by_role("columnheader").all_inner_texts() == ["Temperature", *MODELS[:6]]
        assert grid.get_by_role("rowheader").all_inner_texts() == ["0", "0.3", "0.7", "1", "1.5"]
        assert box(cell(page, "0_0_0"))[1] == box(cell(page, "3_0_0"))[1]
        assert box(cell(page, "0_0_0"))[0] == box(cell(page, "0_4_0"))[0]
    with subtests.test("one repeat of each is made, the others are a press away, and none scrolls"):
        expect(shown_cells(page)).to_have_count(30)
        expect(shown_cells(page).get_by_role("button", name="1/4")).to_have_count(30)
        scrolls = "all => all.filter(one => /auto|scroll/.test(getComputedStyle(one).overflowY)).length"
        assert key(page, "sweep_grid").locator("[data-cell], [data-cell] *").evaluate_all(scrolls) == 0
    with subtests.test("what fades out goes on for lines, and all else is whole"):
        assert key(page, "sweep_grid").locator(".cell .text").evaluate_all(CUT_OR_WHOLE)
    with subtests.test("headers stay in both directions"):
        first, last = grid.get_by_role("rowheader").first, grid.get_by_role("columnheader").last
        left, top = box(first)[0], box(last)[1]
        expect(page.locator(".answers")).to_have_class("answers more-after")
        grid.evaluate("one => one.scrollTo(400, 300)")
        expect(page.locator(".answers")).to_have_class(re.compile("more-before"))
        assert (box(first)[0], box(last)[1]) == (left, top)
        grid.evaluate("one => one.scrollTo(0, 0)")
    with subtests.test("the next repeat is behind 1/4"):
        cell(page, "0_0_0").get_by_role("button", name="1/4").click()
        expect(cell(page, "0_0_0")).to_have_count(0)
        expect(cell(page, "0_0_1").get_by_role("button", name="2/4")).to_be_focused()
    with subtests.test("what is pressed above is shown at once, the server follows"):
        failed = key(page, "sweep_show").get_by_text("failed 8", exact=True)
        for left, address in ((8, "**sweep_show=failed**"), (30, lambda url: "sweep_show" not in url)):
            assert failed.evaluate(PRESSED) == left
            page.wait_for_url(address)
            at_rest(page)
            assert key(page, "sweep_grid").locator("[data-cell]").count() == left, "and the server says the same"
    with subtests.test("so is the other view"):
        read, grid_again = (key(page, "sweep_view").get_by_text(name, exact=True) for name in ("Read", "Grid"))
        for pressed, columns in ((read, 3), (grid_again, 0)):
            assert pressed.evaluate(READ_ONCE_PRESSED) == columns
            page.wait_for_url("**sweep_view=read**" if columns else lambda url: "sweep_view" not in url)
            at_rest(page)
            assert key(page, "sweep_grid").locator(".column .text").count() == columns, "and the server says the same"
    with subtests.test("flags and figures"):
        text = page.locator(".answers").inner_text()
        for words in ("stopped by content rules", "blank", "same text as answer 1 at 0", "words", "tokens", "$0.00"):
            assert words in text
        assert re.search(r"\d\.\d s\b", text)
        for repeat in (1, 2):
            cell(page, f"0_0_{repeat}").get_by_role("button", name=f"{repeat + 1}/4").click()
        expect(cell(page, "0_0_3")).to_contain_text("cut off")
    with subtests.test("arrows, Home, End, Space and Enter"):
        grid.locator("[data-place='0_0']").focus()
        for pressed, place in (
            *(("ArrowRight", "1_0"), ("ArrowDown", "1_1"), ("End", "5_1"), ("ArrowRight", "5_1")),
            *(("Home", "0_1"), ("ArrowLeft", "0_1"), ("ArrowUp", "0_0"), ("ArrowUp", "0_0"), ("ArrowDown", "0_1")),
        ):
            page.keyboard.press(pressed)
            assert focused(page) == place, pressed
        page.keyboard.press("Enter")
        expect(key(page, "sweep_grid").get_by_role("slider")).to_be_visible()
        expect(cell(page, "0_1_0")).to_be_visible()
    with subtests.test("a phone shows cards, and reads one at a time"):
        key(page, "sweep_view").get_by_text("Grid", exact=True).click()
        expect(shown_cells(page)).to_have_count(30)
        page.set_viewport_size({"width": 390, "height": 800})
        assert box(cell(page, "1_0_0"))[0] == box(cell(page, "2_0_0"))[0]
        expect(cell(page, "1_0_0")).to_contain_text(f"{MODELS[1]} · 0")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        cell(page, "1_0_0").locator("..").evaluate("one => (one.style.minHeight = '400px')")  # as while the sweep runs
        assert height_of(cell(page, "1_0_0")) > 390, "what is tinted under the finger is the whole card"
        line, pick = key(page, "sweep_progress").locator("p").first, key(page, "sweep_pick")
        assert box(pick)[1] > box(line)[1] + 15, "each in a row of its own"
        cell(page, "4_0_0").click()
        read = cell(page, "4_0_0")
        expect(read.get_by_role("button", name="Details")).to_be_visible()
        assert key(page, "sweep_grid").locator(".column").count() == 1
        rows = [box(read.locator(part))[1] for part in ("h3", "> .tools", "> header", "> .body")]
        assert rows == sorted(rows), "who, what can be pressed, the figures, the text"
    with subtests.test("there what the thumb is on stays where it is"):
        slider, back = page.get_by_role("slider"), page.get_by_role("button", name="Models before these")
        to = "(one, [end]) => one.closest('.stMain').scrollTo(0, end)"
        at_rest(page)
        slider.fill("4")
        key(page, "sweep_grid").evaluate(to, [100_000])
        heights = set()
        for at in (4, 3, 2, 1, 0):
            slider.fill(str(at))
            heights.add(box(slider)[1])
        assert max(heights) - min(heights) < 2, "whatever is shorter"
        back.click()
        expect(cell(page, "3_0_0")).to_be_visible()
        at_rest(page)
        assert abs(box(slider)[1] - min(heights)) < 2
        key(page, "sweep_grid").evaluate(to, [0])
        stars, before = cell(page, "3_0_0").get_by_role("radio", name="3 stars"), height_of(key(page, "sweep_verdict"))
        top_of_stars = box(stars)[1]
        for given in (True, False):
            stars.click()
            expect(stars).to_be_checked(checked=given)
            at_rest(page)
            assert (height_of(key(page, "sweep_verdict")) > before) is given
            assert abs(box(stars)[1] - top_of_stars) < 2, "though the verdict takes more lines"
    with subtests.test("all models that are chosen are seen there, and nothing scrolls that is one line high"):
        assert key(page, "sweep_kinds").evaluate("one => getComputedStyle(one).overflowY") == "hidden"
        go(page, f"{made[0].url}/sweep?models={','.join(MODELS[:6])}&prompt=x")
        field = key(page, "sweep_models").get_by_test_id("stMultiSelectTagsContainer")
        expect(field).to_contain_text(MODELS[5])
        sides = "one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]"
        assert field.evaluate(sides) == [0, 0]


@pytest.mark.row("S15", "S20")
@pytest.mark.soak
def test_reading_side_by_side_moves_all_columns_with_one_slider_and_keys_give_stars(
    subtests: pytest.Subtests, made: tuple[AppServer, dict[str, str]], context: BrowserContext
) -> None:
    page = open_sweep(context, made, BIG)
    grid = key(page, "sweep_grid")
    cell(page, "2_0_0").locator("..").get_by_role("button").first.click()
    cell(page, "1_1_0").click()
    with subtests.test("the opened answer and its neighbours, in full"):
        expect(grid.locator(".column")).to_have_count(3)
        assert grid.locator(".column").evaluate_all("all => all.map(one => one.dataset.cell)") == [
            "1_1_0",
            "2_1_0",
            "3_1_0",
        ]
    with subtests.test("the slider moves all, and tints what differs from the lowest temperature"):
        grid.get_by_role("slider").fill("4")
        assert grid.locator(".column").evaluate_all("all => all.map(one => one.dataset.cell)") == [
            "1_4_0",
            "2_4_0",
            "3_4_0",
        ]
        assert page.evaluate("() => CSS.highlights.get('sweep-different').size") > 0
        expect(grid.get_by_text("Tinted:")).to_be_visible()
        grid.locator(".scale").get_by_text("0", exact=True).click()
        expect(grid.get_by_role("slider")).to_have_value("0")
        assert page.evaluate("() => CSS.highlights.get('sweep-different').size") == 0
        expect(grid.get_by_text("Tinted:")).to_be_hidden()
    with subtests.test("what is said and pressed of all stands in one row, whatever one has more"):
        rows = "all => all.map(one => one.getBoundingClientRect().top)"
        grid.get_by_role("slider").fill("1")
        assert len(set(grid.locator(".column > .tools").evaluate_all(rows))) == 1
        assert len(set(grid.locator(".column > header").evaluate_all(rows.replace("top", "height")))) > 1
        grid.get_by_role("slider").fill("0")
    with subtests.test("arrows show other models, and a button the next repeat"):
        grid.get_by_role("button", name="Models after these").click()
        expect(cell(page, "5_0_0")).to_be_visible()
        expect(grid.get_by_role("button", name="Models after these")).to_be_disabled()
        cell(page, "5_0_0").focus()
        page.keyboard.press("ArrowLeft")
        expect(cell(page, "0_0_0")).to_be_visible()
        grid.get_by_role("button", name="1/4").click()
        expect(cell(page, "0_0_1")).to_be_visible()
    with subtests.test("an answer's model and temperature are picked beside it"):
        top = box(cell(page, "1_0_1").locator(".tools"))[1]
        grid.get_by_role("button", name="Pick").first.click()
        expect(key(page, "sweep_verdict")).to_contain_text("Your pick:")
        assert abs(box(cell(page, "1_0_1").locator(".tools"))[1] - top) < 30, "but for its mark it stays"
        expect(grid.get_by_text("your pick").first).to_be_visible()
        expect(grid.get_by_role("button", name="Picked")).to_have_count(1)
        field = key(page, "sweep_pick").get_by_role("combobox")
        expect(field).not_to_have_value("Pick a setting")
        picked = field.input_value()
        field.press("Escape")
        assert picked and field.input_value() == picked, "Escape takes no pick back"
    with subtests.test("stars by key, kept"):
        cell(page, "1_0_1").focus()
        page.keyboard.press("4")
        expect(cell(page, "1_0_1").get_by_role("radio", checked=True)).to_have_accessible_name("4 stars")
        assert focused(page) == "1_0_1"
        page.reload()
        key(page, "sweep_view").get_by_text("Grid", exact=True).click()
        expect(cell(page, "1_0_1"), "the repeat that has stars is the one that is shown").to_be_visible()
        key(page, "sweep_find").get_by_text("rated", exact=True).click()
        expect(shown_cells(page)).to_have_count(1)


@pytest.mark.row("S20")
@pytest.mark.soak
def test_hidden_names_stand_nowhere_in_the_page_nor_in_its_address(
    subtests: pytest.Subtests, made: tuple[AppServer, dict[str, str]], context: BrowserContext
) -> None:
    page = open_sweep(context, made, NAMED, "&sweep_show_models=fake/maker-alpha")

    def named() -> list[str]:
        at_rest(page)
        everything = f"{page.evaluate(EVERYTHING)} {page.title()} {page.url}"
        return re.findall(r"(?:maker|answerer)-\w+", everything)

    assert any("answerer-" in one for one in named()) and any("maker-" in one for one in named()), "so it would be seen"
    key(page, "sweep_hide_names").locator("label").click()
    expect(key(page, "sweep_names_hidden_setup")).to_be_attached()
    with subtests.test("in the grid, its filters and the set-up"):
        assert named() == []
        assert "sweep_show_models=" in page.url, "and the filter is kept"
    with subtests.test("after a reload, as the address says"):
        page.reload()
        expect(key(page, "sweep_names_hidden_setup")).to_be_attached()
        expect(page.locator(".answers > *")).to_be_visible()
        assert named() == []
        expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(8)
    cell(page, "0_0_0").locator(".figures").click()
    for place, words in (("0_0_0", "does not exist"), ("0_0_1", "A good answer.")):
        with subtests.test("read, and in the details", place=place):
            cell(page, place).get_by_role("button", name="Details").click()
            expect(page.get_by_role("dialog")).to_contain_text(words)
            assert named() == []
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
    for view in ("Charts", "Rules", "Report"):
        with subtests.test(view):
            key(page, "sweep_view").get_by_text(view, exact=True).click()
            expect(key(page, "sweep_names_hidden")).to_be_visible()
            assert named() == []


@pytest.mark.row("S17", "S19")
@pytest.mark.soak
def test_what_is_looked_for_is_found_marked_and_kept_in_the_address(
    subtests: pytest.Subtests, made: tuple[AppServer, dict[str, str]], context: BrowserContext
) -> None:
    page = open_sweep(context, made, BIG)
    total = 30  # places, each with one of its four answers

    def count() -> int:
        return key(page, "sweep_grid").locator("[data-cell]").count()

    with subtests.test("a search leaves the answers that hold it, and marks the words"):
        field = key(page, "sweep_search").get_by_role("textbox")
        field.fill("HIKERS")
        field.press("Enter")
        expect(key(page, "sweep_grid").locator("[data-cell]")).not_to_have_count(total)
        assert 0 < count() < total
        page.wait_for_function("() => CSS.highlights.get('sweep-found')?.size > 0")
        assert "sweep_search=HIKERS" in page.url
    with subtests.test("the address opens the same look"):
        other = context.new_page()
        other.goto(page.url.replace("sweep_search=HIKERS", "sweep_show=failed"))
        expect(cell(other, "2_0_0")).to_contain_text("The service is busy.")
        texts = key(other, "sweep_grid").locator("[data-cell]").all_text_contents()
        assert len(texts) == 8 and all("The service is busy." in text for text in texts)
        other.close()
    with subtests.test("an address of before, when cut, odd and the same were one, opens all three"):
        other = context.new_page()
        other.goto(page.url.replace("sweep_search=HIKERS", "sweep_show=flagged"))
        pressed = key(other, "sweep_show").locator("button[aria-pressed=true], button[aria-checked=true]")
        expect(pressed).to_have_count(3)
        other.wait_for_url("**sweep_show=cut&sweep_show=odd&sweep_show=same**")
        other.close()
    with subtests.test("what is not there is said"):
        field.fill("no such word")
        field.press("Enter")
        expect(page.get_by_text("No answer is like that.")).to_be_visible()
        expect(page.locator(".answers .corner")).to_be_hidden()
        key(page, "sweep_show_all").get_by_role("button").click()
        expect(field).to_have_value("")
        expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(total)
    with subtests.test("Read shows a repeat that is looked for, and says of a place that all of it is left out"):
        key(page, "sweep_show").get_by_text("cut ").click()
        page.wait_for_url("**sweep_show=cut**")
        key(page, "sweep_view").get_by_text("Read", exact=True).click()
        slider = page.locator(".answers input[type=range]")
        expect(slider).to_be_visible()
        at_rest(page)
        said = ""
        for column in range(int(slider.get_attribute("max") or 0) + 1):
            slider.fill(str(column))
            said += page.locator(".columns").inner_text()
        assert "cut off" in said and "What you look for leaves this answer out." in said
        assert "No answer here yet." not in said
    with subtests.test("the temperature is as it was after a look at the charts"):
        before = page.locator(".answers output").inner_text()
        assert before != "0"
        key(page, "sweep_view").get_by_text("Charts", exact=True).click()
        expect(key(page, "sweep_chart_table")).to_be_visible()
        key(page, "sweep_view").get_by_text("Read", exact=True).click()
        expect(page.locator(".answers output")).to_have_text(before)
        page.locator(".answers").get_by_role("button", name="Show all").first.click()
        expect(page.get_by_text("What you look for leaves this answer out.")).to_have_count(0)
        key(page, "sweep_view").get_by_text("Grid", exact=True).click()
        expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(total)


@pytest.mark.row("S15", "T8", "T9")
@pytest.mark.soak
def test_bad_input_is_readable_and_does_nothing(
    subtests: pytest.Subtests, made: tuple[AppServer, dict[str, str]], context: BrowserContext
) -> None:
    app, _ = made
    page = open_sweep(context, made, HOSTILE)
    heard = heard_elsewhere(page, app)
    foreign = page.locator(".answers").locator("img, script, style, iframe, [onerror]")
    with subtests.test("in the grid"):
        expect(foreign).to_have_count(0)
        assert len(cell(page, "0_0_0").locator(".text").inner_text()) < 1_000
        expect(cell(page, "4_0_0")).to_contain_text("<script>alert(2)</script>")
        expect(cell(page, "2_0_0")).to_contain_text("red")
    cell(page, "0_0_0").click()
    with subtests.test("read"):
        expect(cell(page, "0_0_0")).to_contain_text("more characters in the details")
        expect(cell(page, "1_0_0").locator("table")).to_be_visible()
        key(page, "sweep_grid").get_by_role("button", name="Models after these").click()
        expect(cell(page, "3_0_0")).to_contain_text("אחת")
        expect(cell(page, "4_0_0")).to_contain_text("onerror")
        expect(page.locator(".answers h3").last).to_have_text("<img src=x onerror=alert(4)>")
        expect(foreign).to_have_count(0)
    for name, words, cells in (("failed", "The service is busy.", 4), ("equal", "Always the same.", 4)):
        with subtests.test(name):
            page = open_sweep(context, made, name)
            expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(cells)
            assert all(words in text for text in key(page, "sweep_grid").locator("[data-cell]").all_text_contents())
            assert key(page, "sweep_grid").locator(".badge").count() == 0, "no crown on a tie"
            page.close()
    assert heard == []


@pytest.mark.row("S20")
def test_answers_that_are_the_same_are_rated_together_by_one_press(sweep: OpenSweep) -> None:
    page = sweep("equal")
    cell(page, "0_0_0").locator(".figures").click()
    expect(page.locator(".column")).to_have_count(2)
    cell(page, "0_0_0").get_by_role("button", name="Copy").click()
    expect(cell(page, "0_0_0").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate(CLIPBOARD_BECOMES, "Always the same.")
    expect(page.get_by_role("button", name="Rate the same")).to_have_count(0)
    cell(page, "0_0_0").get_by_role("radio", name="4 stars").click()
    cell(page, "0_0_0").get_by_role("button", name="Rate the same for 5 equal answers").click()
    expect(page.get_by_role("button", name="Rate the same")).to_have_count(0)
    key(page, "sweep_view").get_by_text("Grid", exact=True).click()
    given = key(page, "sweep_grid").locator(".given")
    for repeat in range(1, 4):
        expect(given).to_have_text(["★★★★"] * 2)
        for _ in range(4):
            key(page, "sweep_grid").get_by_role("button", name=f"{repeat}/3").first.click()
    other = cell(page, "1_1_0").locator(".rating")
    second = {"x": 0.3 * (other.bounding_box() or {"width": 0})["width"], "y": 5}
    other.click(position=second)
    expect(cell(page, "1_1_0").locator(".given"), "in the grid, too, the star that is pressed").to_have_text("★★")
    other.click(position=second)
    expect(given).to_have_count(2)


@pytest.mark.row("S19")
@pytest.mark.soak
def test_a_filter_of_one_sweep_is_not_written_back_into_another(
    made: tuple[AppServer, dict[str, str]], sweep: OpenSweep
) -> None:
    """A closed popover has no field that could hear of a change: the browser would tell its old value once more."""
    _app, ids = made
    page = sweep("equal")
    key(page, "sweep_places").get_by_role("button").click()
    page.get_by_role("combobox", name="Models").click()
    page.get_by_role("option", name=MODELS[1]).click()
    expect(shown_cells(page), "of one model all answers are seen, those of one temperature in a row").to_have_count(6)
    (x, y), (further, level) = (box(cell(page, f"1_1_{repeat}")) for repeat in (0, 2))
    assert further > x and level == y
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 800})
    (x, y), (further, level) = (box(cell(page, f"1_1_{repeat}")) for repeat in (0, 1))
    assert x < further < 390 and level == y, "on a phone too, where the next one looks in"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert wide
    page.set_viewport_size(wide)
    search = key(page, "sweep_search").get_by_role("textbox")
    search.fill("Always")
    search.press("Enter")
    page.wait_for_url("**sweep_search=Always**")
    cell(page, "1_0_2").locator(".figures").click()
    read = key(page, "sweep_grid").locator(".column")
    expect(read).to_have_count(3)
    assert read.evaluate_all("all => all.map(one => one.dataset.cell)") == ["1_0_0", "1_0_1", "1_0_2"]
    key(page, f"sweep_open_{ids[FORMULAS]}").get_by_role("button").click()
    expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(4)
    for view in ("Read", "Grid"):
        key(page, "sweep_view").get_by_text(view, exact=True).click()
        at_rest(page)
    expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(4)
    expect(search).to_have_value("")
    assert not re.search("sweep_(search|show)", page.url)


@pytest.mark.row("S15", "S18")
def test_formulas_are_drawn_and_the_words_behind_them_tinted(sweep: OpenSweep) -> None:
    page = sweep(FORMULAS)
    parts = cell(page, "0_1_0").locator("mfrac > *")
    expect(cell(page, "0_1_0").locator("math")).to_have_count(2)
    assert box(parts.nth(0))[1] < box(parts.nth(1))[1], "one part stands above the other"
    expect(cell(page, "0_1_0").locator(".formula")).to_have_text("$\\unknown{x}$")
    expect(cell(page, "0_1_0")).to_contain_text("evil.example")
    expect(page.locator(".answers math").locator("a, [href]")).to_have_count(0)
    cell(page, "0_1_0").locator(".figures").click()
    expect(page.locator(".column math")).to_have_count(4)
    tinted = "() => [...CSS.highlights.get('sweep-different')].map(one => one.toString())"
    assert page.evaluate(tinted) == ["cold", "cold"]


@pytest.mark.row("S15")
@pytest.mark.soak
def test_answers_have_their_room_before_what_draws_them_has_come(
    made: tuple[AppServer, dict[str, str]], context: BrowserContext
) -> None:
    """Without it the page is empty but for what deletes the sweep."""
    app, ids = made
    page = new_tab(context)
    page.route("**/answers*.js*", lambda route: None)  # never answered
    page.goto(f"{app.url}/sweep?sweep={ids['equal']}")
    expect(key(page, "sweep_delete")).to_be_visible()
    room = key(page, "sweep_grid").bounding_box()
    assert room and room["height"] > 300
    page.unroute_all()
    page.reload()
    expect(page.locator(".answers > *")).to_be_visible()
    expect(key(page, "sweep_grid"), "and no more than they need").to_have_attribute("data-drawn", "")


@pytest.mark.row("S6", "S11", "S15")
def test_answers_fill_while_they_are_written_and_one_can_be_stopped(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    models = ",".join(f"{host(api)}/{name}" for name in ("silent", "held", "echo", "error-400"))
    page = open_at(context, f"{app.url}/sweep?models={models}&temperatures=0&repeats=1", "sweep_run")
    page.set_viewport_size({"width": 1920, "height": 1000})  # all that leads to answers could stand in one line
    below = top(page, "sweep_models_open") - top(page, "sweep_prompt")
    key(page, "sweep_prompt").locator("textarea").fill("slowly")
    expect(key(page, "sweep_run"), "though the field is not left: a pause in typing").to_contain_text("Run 4 answers")
    assert top(page, "sweep_models_open") - top(page, "sweep_prompt") == below, (
        "what is about to be pressed stays, though there is a prompt now"
    )
    key(page, "sweep_run").get_by_role("button").click()
    listed = page.locator("[class*='st-key-sweep_open_']").first  # other tests' sweeps may stand there too
    expect(listed, "the sidebar opens with the first sweep").to_be_visible()
    stop = cell(page, "0_0_0").get_by_role("button", name="Stop this one")
    tall, stands = height(page, "2_0"), box(stop)
    expect(cell(page, "2_0_0")).to_contain_text("You said")
    tops = [top(page, name) for name in ("sweep_view", "sweep_grid")]
    key(page, "sweep_grid").locator("[data-place='2_0']").focus()
    expect(cell(page, "1_0_0")).to_contain_text("▌")
    assert focused(page) == "2_0", "what comes in takes the focus from nobody"
    expect(key(page, "sweep_show"), "a button comes with the first that it looks for").to_contain_text("failed")
    assert (height(page, "2_0"), box(stop)) == (tall, stands), "no row moves under the pointer"
    stop.click()
    expect(cell(page, "0_0_0")).to_contain_text("stopped by you")
    assert height(page, "2_0") == tall, "nor when one is stopped"
    api.go_on()
    expect(cell(page, "1_0_0")).to_contain_text("tokens")
    expect(key(page, "sweep_csv")).to_be_visible()
    assert focused(page) == "0_0", "nor does the end of it all"
    expect(key(page, "sweep_retry")).to_be_visible()
    for name, before in zip(("sweep_view", "sweep_grid"), tops, strict=True):
        assert abs(top(page, name) - before) < 10, f"nor does it move what is about to be pressed: {name}"
    assert height(page, "2_0") == tall, "under the pointer the rows stay as they are"
    page.mouse.move(1, 1)
    assert height(page, "2_0") < tall, "and are as high as they need be when it has left"


@pytest.mark.row("S6", "S15")
def test_while_it_runs_all_places_show_the_same_answer(app: AppServer, api: FakeApi, context: BrowserContext) -> None:
    models = f"{host(api)}/echo,{host(api)}/held"
    page = open_at(context, f"{app.url}/sweep?models={models}&temperatures=0&prompt=Hello&repeats=2", "sweep_run")
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_progress")).to_contain_text("2 of 4 answers")
    for place in ("0_0_0", "1_0_0"):
        expect(cell(page, place), "the first, though echo's second came last").to_be_visible()
    api.go_on()
    expect(key(page, "sweep_csv")).to_be_visible()
    for place in ("0_0_0", "1_0_0"):
        expect(cell(page, place)).to_be_visible()


@pytest.mark.row("S6", "S13")
@pytest.mark.soak
def test_what_is_being_written_is_in_view_and_the_list_and_the_tabs_title_count(
    app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    url = f"{app.url}/sweep?models={host(api)}/slow-50&temperatures=0&prompt={'slowly ' * 36}&repeats=2&concurrency=1"
    page = open_at(context, url, "sweep_run")
    key(page, "sweep_run").get_by_role("button").click()
    listed = page.locator("[class*='st-key-sweep_open_']").first
    expect(cell(page, "0_0_0")).to_contain_text("▌")
    expect(listed).to_contain_text("0/2")

    expect(cell(page, "0_0_1")).to_contain_text("▌")
    expect(cell(page, "0_0_1"), "the second answer stands in one place with the first").to_be_visible()
    expect(listed).to_contain_text("1/2")
    expect(page).to_have_title("1/2 · Tempera")

    expect(page).to_have_title("Done 2/2 · Tempera")
    expect(listed).to_contain_text("2/2")
    expect(cell(page, "0_0_1")).to_be_visible()


@pytest.mark.row("S16", "S18", "S24")
@pytest.mark.soak
def test_an_answers_details_hold_all_of_it_and_lead_on(
    subtests: pytest.Subtests, app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    models = f"{host(api)}/reason,{host(api)}/echo,{host(api)}/long-300"
    url = f"{app.url}/sweep?models={models}&temperatures=0,0.7&prompt=Praise%20tea.&system=Be%20brief.&repeats=1"
    page = open_at(context, url, "sweep_run")
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_csv")).to_be_visible()
    cell(page, "0_1_0").click()
    expect(cell(page, "0_1_0").locator("details")).not_to_have_attribute("open", "")

    def open_details(place: str) -> Locator:
        cell(page, place).get_by_role("button", name="Details").click()
        expect(page.get_by_role("dialog")).to_contain_text("reason" if place == "0_1_0" else "echo")
        return page.get_by_role("dialog")

    dialog = open_details("0_1_0")
    for part, words in (
        ("Numbers", "Input tokens (prompt)"),
        ("Request", '"temperature": 0.7'),
        ("Answer as it came", "reasoning_content"),
    ):
        with subtests.test(part=part):
            dialog.get_by_text(part, exact=True).click()
            expect(dialog).to_contain_text(words)
    with subtests.test("two answers are compared word by word"):
        field = key(page, "sweep_cell_compare").get_by_role("combobox")
        field.fill("long-300, temperature 0.7")
        field.press("Enter")
        expect(dialog).to_have_count(0)
        expect(cell(page, "2_1_0")).to_be_visible()
        page.wait_for_function("() => CSS.highlights.get('sweep-different')?.size > 0")
        page.get_by_role("button", name="Back to all").click()
    with subtests.test("one answer is asked for once more, and the others are not"):
        before = len(api.requests)
        open_details("1_1_0").get_by_role("button", name="Run again").click()
        api.wait(lambda fake: len(fake.requests) > before)
        expect(key(page, "sweep_csv")).to_be_visible()
        expect(cell(page, "1_1_0")).to_contain_text("You said: Praise tea.")
        assert [(one.model, one.body["temperature"]) for one in api.requests[before:]] == [("echo", 0.7)]
    with subtests.test("the conversation goes on in Chat with the same model and parameters"):
        open_details("1_1_0").get_by_role("button", name="Continue in Chat").click()
        expect(key(page, "answer_0")).to_contain_text("You said: Praise tea.")
        expect(key(page, "chat_changes")).to_contain_text("temperature 0.7")
        send(page, "And now?")
        expect(key(page, "answer_1")).to_contain_text("You said: And now?")
        [sent] = asked(api, "And now?")
        assert (sent.model, sent.body["temperature"]) == ("echo", 0.7)
        roles = [message["role"] for message in sent.body["messages"]]
        assert roles == ["system", "user", "assistant", "user"]


# A run seems to be under way, and what the page tells meanwhile reaches the server after its end.
BUSY = """() => {
    const socket = WebSocket.prototype, held = [];
    window.send = socket.send;
    window.told = () => held.forEach(([one, data]) => window.send.call(one, data));
    socket.send = function(data) { held.push([this, data]); };
    document.querySelector("[data-testid=stApp]").dataset.testScriptState = "running";
}"""
END_OF_THE_OTHER_RUN = """() => {
    document.querySelector("[data-testid=stApp]").dataset.testScriptState = "notRunning";
    WebSocket.prototype.send = window.send;
    setTimeout(window.told, 50); // ms
}"""


@pytest.mark.row("S27")
def test_a_saved_report_has_what_was_typed_when_its_button_was_pressed(
    sweep: OpenSweep, subtests: pytest.Subtests
) -> None:
    """The press leaves the field: a short one ends before the text is taken in, a long one when all is drawn anew."""
    page = sweep("equal")
    key(page, "sweep_view").get_by_text("Report", exact=True).click()
    advice = page.get_by_role("textbox", name="Your recommendation")
    for name, delay in (("sweep_report", 0), ("sweep_markdown", 80)):
        with subtests.test(button=name, delay=delay):
            advice.fill(f"Take a press of {delay}.")
            with page.expect_download() as saved:
                key(page, name).locator("button").click(delay=delay)
            assert f"Take a press of {delay}." in saved.value.path().read_text("utf-8")
    with subtests.test("another run was under way"):
        advice.fill("Told while the page was busy.")
        page.evaluate(BUSY)
        with page.expect_download() as saved:
            key(page, "sweep_report").locator("button").click()
            page.evaluate(END_OF_THE_OTHER_RUN)
        assert "Told while the page was busy." in saved.value.path().read_text("utf-8")
    with subtests.test("it is said, and the page looks as before"):
        expect(page.get_by_test_id("stToast").last).to_contain_text("Saved")
        assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--page-text')")
    with subtests.test("what was switched and picked from a list"):
        for there in (False, True):
            # One press right behind the other, before anything can have followed.
            presses_at = [
                middle(page.get_by_text("With the prompt", exact=True)),
                middle(key(page, "sweep_report").locator("button")),
            ]
            with page.expect_download() as saved:
                for at in presses_at:
                    page.mouse.click(*at)
            assert ("<blockquote" in saved.value.path().read_text("utf-8")) == there
        page.get_by_role("combobox", name="For whom").click()
        page.get_by_role("option", name="Full").click()
        with page.expect_download() as saved:
            key(page, "sweep_report").locator("button").click()
        assert "All answers" in saved.value.path().read_text("utf-8")


@pytest.mark.row("S27")
@pytest.mark.soak
def test_a_saved_report_has_all_that_was_typed_whatever_came_first(
    context: BrowserContext, made: tuple[AppServer, dict[str, str]], subtests: pytest.Subtests
) -> None:
    app, ids = made
    page = open_at(context, f"{app.url}/sweep?sweep={ids['equal']}&sweep_view=report", "sweep_report")
    advice, author = (page.get_by_role("textbox", name=name) for name in ("Your recommendation", "Author"))
    with subtests.test("all of it is kept"):
        page.get_by_text("With the prompt", exact=True).click()
        page.get_by_role("textbox", name="Title").fill("Ours")
        page.get_by_text("With costs", exact=True).click()
        author.fill("Ann")
        with page.expect_download() as saved:
            key(page, "sweep_report").locator("button").click()
        file = saved.value.path().read_text("utf-8")
        assert ">Ours</h1>" in file and "Ann · " in file and "<blockquote" not in file and "per 1,000" not in file
    with subtests.test("a line begun and taken away again"):
        advice.fill("One line.")
        advice.press("End")
        advice.press("Enter")
        advice.press("Backspace")
        with page.expect_download() as saved:
            key(page, "sweep_report").locator("button").click()
        assert "One line." in saved.value.path().read_text("utf-8")
    with subtests.test("from the keyboard"):
        author.fill("Ada of the keys")
        author.press("Enter")
        with page.expect_download() as saved:
            key(page, "sweep_report").locator("button").press("Enter")
        assert "Ada of the keys" in saved.value.path().read_text("utf-8")


@pytest.mark.row("S20")
def test_enter_adds_a_rule_and_a_press_on_its_figure_reads_what_breaks_it(sweep: OpenSweep) -> None:
    page = sweep("equal")
    key(page, "sweep_view").get_by_text("Rules", exact=True).click()
    field = key(page, "sweep_rule_value").locator("input")
    table = key(page, "sweep_rule_rates")

    def press_last_figure() -> None:
        drawn = table.locator("canvas").first
        drawn.scroll_into_view_if_needed()
        shape = drawn.bounding_box()
        assert shape
        page.mouse.click(shape["x"] + 0.9 * shape["width"], shape["y"] + 50)

    field.fill("same")
    field.press("Enter")
    expect(key(page, "sweep_rule_0")).to_contain_text("no answer breaks it")
    at_rest(page)
    press_last_figure()
    expect(page.get_by_test_id("stToast")).to_contain_text("None of these answers breaks it.")
    # What is said in passing stands where the page's own styles do, unless it is drawn after them.
    at_rest(page)
    expect(key(page, "frame")).to_have_css("background-color", "rgb(253, 251, 247)")

    field.fill("zebra")
    field.press("Enter")
    expect(key(page, "sweep_rule_1")).to_contain_text("contains “zebra”")
    expect(field).to_have_value("")
    at_rest(page)
    # Whoever presses a figure reads what is behind it.
    press_last_figure()
    expect(key(page, "sweep_rules_shown")).to_contain_text("lacks “zebra”")
    expect(page.locator(".column").first).to_contain_text("lacks “zebra”")
    expect(page.locator(".column").first).to_have_accessible_name(re.compile("lacks “zebra”"))

"""A report as a reader has it: saved on the page, opened from a file, on paper and on a phone."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lib.core.reply import Delta, Reply
from lib.store.database import Store
from lib.sweep.plan import Cell
from tests import seen
from tests.app_server import AppServer
from tests.browsing import VIEWPORT, cell, key, open_at
from tests.made_sweeps import MODELS, app_with_sweeps, make_sweep, odd_answer

LONG = "lorem ipsum dolor " * 11_000
TEXTS = (
    LONG,
    "# Title\n\n| a | b |\n|---|---|\n| <b>1</b> | ![x](https://evil.example/a.png) |\n\n```js\nalert(1)\n" + "y" * 400,
    "<img src=x onerror=alert(1)><script>alert(2)</script><style>*{display:none}</style>",
    "热茶保温十二小时，" * 60,
    "\n".join(f"- line {number} of a long list" for number in range(200)),
)


def hostile(cell: Cell) -> Reply:
    reply = Reply(state="ok", seconds=1.0)
    reply.add(Delta(text=TEXTS[cell.row], finish_reason="stop"))
    return reply


def sweeps(store: Store) -> dict[int, str]:
    return {
        112: make_sweep(store, MODELS[:6], (0, 0.3, 0.7, 1.0, 1.5), 4, odd_answer),
        5: make_sweep(store, [f"<img src=x onerror=alert({n})>" for n in range(5)], (1,), 1, hostile),
    }


@pytest.fixture(scope="module")
def running_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, dict[int, str]]]:
    """An app at its own address whose store has sweeps that have run, by how many whole answers they have."""
    with app_with_sweeps(tmp_path_factory.mktemp("made") / "data", sweeps) as made:
        yield made


def saved_report(context: BrowserContext, app: AppServer, sweep: str, folder: Path) -> Path:
    """The full report, as the browser saves it."""
    page = open_at(context, f"{app.url}/sweep?sweep={sweep}&sweep_view=report", "sweep_report")
    key(page, "sweep_report_form").get_by_role("combobox").first.click()
    page.get_by_role("option", name="Full").click()
    expect(page.get_by_role("combobox", name="For whom")).to_have_value("Full: with all answers, charts and numbers")
    with page.expect_download() as saved:
        key(page, "sweep_report").locator("button").click()
    saved.value.save_as(folder / "report.html")
    page.close()
    return folder / "report.html"


@pytest.mark.row("S20", "S26", "S27")
@pytest.mark.soak
def test_from_120_answers_to_a_saved_report_with_a_pick_in_six_actions(
    context: BrowserContext, made: tuple[AppServer, dict[int, str]]
) -> None:
    app, ids = made
    page = open_at(context, f"{app.url}/sweep", "sweep_new")
    key(page, f"sweep_open_{ids[112]}").get_by_role("button").click()
    expect(key(page, "sweep_grid").locator("[data-cell]")).to_have_count(30)  # one of four answers of each place
    cell(page, "1_1_0").locator(".figures").click()
    cell(page, "1_1_0").get_by_role("radio", name="5 stars").click()
    cell(page, "1_1_0").get_by_role("button", name="Pick").click()
    expect(cell(page, "1_1_0").get_by_role("button", name="Picked")).to_be_visible()
    key(page, "sweep_view").get_by_text("Report", exact=True).click()
    with page.expect_download() as saved:
        key(page, "sweep_report").locator("button").click()
    expect(page.get_by_test_id("stToast")).to_contain_text("Saved")
    report = saved.value.path().read_text("utf-8")
    read = seen.text(report)
    assert f"{MODELS[1]} at temperature 0.3" in read and "5.0 stars, only 1 of 4 answers rated" in read
    for view, button in (("Report", "sweep_table"), ("Grid", "sweep_csv")):
        key(page, "sweep_view").get_by_text(view, exact=True).click()
        with page.expect_download() as saved:
            key(page, button).locator("button").click()
        rows = list(csv.DictReader(io.StringIO(saved.value.path().read_bytes().decode("utf-8-sig"))))
        assert len(rows) == 120 and sum(row["stars"] == "5" for row in rows) == 1, button


PAGE_NUMBER = re.compile(r"^\s*\d+ / \d+|\d+ / \d+\s*$")


def printed(page: Page) -> str:
    """What the paper says, without spaces and line ends, as a PDF knows of neither, and without the pages' numbers."""
    document = pdfium.PdfDocument(page.pdf(prefer_css_page_size=True))
    pages = [document[number].get_textpage().get_text_bounded() for number in range(len(document))]
    document.close()
    return "".join("".join(PAGE_NUMBER.sub("", words).split()) for words in pages)


@pytest.mark.row("S27", "T8", "T9")
@pytest.mark.soak
def test_a_saved_report_asks_nobody_prints_every_line_and_fits_a_phone(
    context: BrowserContext, made: tuple[AppServer, dict[int, str]], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    app, ids = made
    for answers, sweep in ids.items():
        file = saved_report(context, app, sweep, tmp_path)
        heard: list[str] = []
        page = context.new_page()
        page.on("request", lambda request, heard=heard: heard.append(request.url))
        page.on("dialog", lambda dialog, heard=heard: (heard.append(dialog.message), dialog.dismiss()))
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(file.as_uri())
        with subtests.test("nothing is asked for, and nothing runs", answers=answers):
            assert heard == [file.as_uri()]
            assert page.locator("script, iframe, form, input, link").count() == 0
        with subtests.test("our styles are let in, and nothing is wider than a phone", answers=answers):
            assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily").startswith('"Iowan')
            assert page.evaluate("document.documentElement.scrollWidth") == 390
        with subtests.test("every line is on paper", answers=answers):
            texts = page.locator("article .text").all_inner_texts()
            paper = printed(page)
            assert len(texts) >= answers
            lines = {line for text in texts for line in text.splitlines() if line.strip()}
            assert [line[:80] for line in lines if "".join(line.split()) not in paper] == []
        page.close()


@pytest.mark.row("S27")
@pytest.mark.soak
def test_what_the_report_is_to_be_stays_after_it_was_presented(
    context: BrowserContext, made: tuple[AppServer, dict[int, str]]
) -> None:
    app, ids = made
    page = open_at(context, f"{app.url}/sweep?sweep={ids[112]}&sweep_view=report", "sweep_report")

    def stands_as_written() -> None:
        form = key(page, "sweep_report_form")
        expect(form.get_by_label("Title")).to_have_value("Heat and tea")
        expect(form.get_by_label("Your recommendation")).to_have_value("Take the second.")
        expect(form.get_by_label("With the prompt")).to_be_checked()
        expect(form.get_by_label("With costs")).to_be_checked()

    key(page, "sweep_report_form").get_by_label("Title").fill("Heat and tea")
    key(page, "sweep_report_form").get_by_label("Your recommendation").fill("Take the second.")
    key(page, "sweep_report_form").get_by_label("Author").click()
    for leave in ("Escape", "End"):
        page.set_viewport_size({"width": 640, "height": 360})
        key(page, "sweep_present").get_by_role("button").click()
        slide = key(page, "sweep_slide")
        expect(slide.get_by_text("Heat and tea")).to_be_in_viewport()
        page.set_viewport_size(VIEWPORT)
        expect(slide.get_by_text("Heat and tea")).to_be_visible()
        expect(slide.get_by_text("Take the second.")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(key(page, "sweep_slide_bar").get_by_text("2 / ")).to_be_visible()
        if leave == "Escape":
            page.keyboard.press("Escape")
        else:
            key(page, "sweep_slide_end").get_by_role("button").click()
        stands_as_written()
    key(page, "sweep_report_form").get_by_label("Author").fill("A. B.")
    key(page, "sweep_report_form").get_by_label("Title").click()
    expect(key(page, "sweep_report").locator("button")).to_be_enabled()
    page.reload()
    stands_as_written()

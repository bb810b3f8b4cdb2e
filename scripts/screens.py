"""Takes the pictures in docs/screens: `make screens`, on a computer with a font for Chinese (fonts-noto-cjk).

Chat and Sweep are shown on the practice model, as a stranger sees them; other chats talk to the tests' fake service.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Connection

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.totals import YEAR, fill
from lib.calls.usage_rollups import DAY
from lib.services import Services
from lib.settings import Settings
from lib.sweep import decision, ratings
from lib.sweep.decision import ReportOptions
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.visitor import LOCAL_OWNER
from tests.app_server import app_server
from tests.browser_path import chromium_path
from tests.browsing import QUIET, SECONDS, cell, key
from tests.fake_api import FakeApi
from tests.made_sweeps import MODELS, make_sweep

FOLDER = ROOT / "docs" / "screens"
LOOKS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "wide": {"viewport": {"width": 1920, "height": 1080}},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "chinese": {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN"},
    "phone-chinese": {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN"},
}
KEPT = {
    "desktop": (
        "chat-empty chat-writing chat-done chat-beside chat-numbers chat-code chat-models chat-failed "
        "settings connection sweep-ready sweep-running sweep-done sweep-failed told-grid told-read told-judge "
        "told-report told-paper told-present usage usage-year usage-speed"
    ),
    "dark": "chat-empty chat-done sweep-done told-read told-charts told-present usage",
    "wide": "chat-done sweep-done told-grid-12 told-charts-12 usage",
    "phone": "chat-empty chat-beside sweep-done told-grid told-read told-charts usage usage-year",
    "phone-dark": "chat-done",
    "chinese": "chat-empty chat-done sweep-done told-grid told-report usage",
    "phone-chinese": "chat-empty",
}
"""Which pictures are kept of each look: together they show every state, and every page in every look."""
WAITS = re.compile("waits|等待中")
SWEEP = "prompt=Name%20a%20new%20flavour%20of%20ice%20cream.&temperatures=0,0.5,1,1.5&repeats=2"


def main() -> None:
    """Every page, in every look and state."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder, FakeApi() as api:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=QUIET)
        with app_server(Path(folder) / "data") as app:
            shoot(browser, LOOKS, lambda page, look: practice(page, app.url, look))
        settings = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": "sk-made-up-0001"}
        with app_server(Path(folder) / "other", **settings) as app:
            shoot(browser, ["desktop"], lambda page, look: troubles(page, app.url, look))
            shoot(browser, ["desktop", "phone"], lambda page, look: more_of_chat(page, app.url, look))
        told(browser, Path(folder) / "told")
        used(browser, Path(folder) / "used")
        browser.close()


def told(browser: Browser, folder: Path) -> None:
    """What a large sweep says: verdict, charts, rules, the report and the presentation. Nobody is asked."""
    services = Services.open(Settings(data_dir=folder, local_model=False))
    sweep = make_sweep(services.store, MODELS[:6], (0, 0.3, 0.7, 1.0, 1.5), 4)
    twelve = make_sweep(services.store, MODELS, (0, 0.2, 0.4, 0.7, 1, 1.3, 2), 2)
    services.store.write(lambda db: _judged(db, services, sweep)).result()
    services.close()
    with app_server(folder, TEMPERA_LOCAL_MODEL="false") as app:
        looks = ["desktop", "dark", "phone", "chinese"]
        shoot(browser, looks, lambda page, look: told_pages(page, f"{app.url}/sweep?sweep={sweep}", look))
        shoot(browser, ["wide"], lambda page, look: twelve_models(page, f"{app.url}/sweep?sweep={twelve}", look))


def used(browser: Browser, folder: Path) -> None:
    """A year of calls, some of which failed: what they used, and how fast the models were."""
    services = Services.open(Settings(data_dir=folder, local_model=False))
    first = int(time.time() * 1_000_000) // DAY * DAY + DAY - YEAR
    fill(services.store, 3_000, first)
    services.close()
    with app_server(folder, TEMPERA_LOCAL_MODEL="false") as app:
        shoot(browser, ["desktop", "phone"], lambda page, look: used_pages(page, f"{app.url}/usage?scope=all", look))


def used_pages(page: Page, address: str, look: str) -> None:
    """The overview, and the section of the speeds."""
    page.goto(address)
    expect(key(page, "usage_models")).to_be_visible(timeout=SECONDS)
    picture(page, "usage-year", look)
    key(page, "usage_more").get_by_text("Speed").click()
    expect(key(page, "usage_speed")).to_be_visible(timeout=SECONDS)
    picture(page, "usage-speed", look)


def _judged(db: Connection, services: Services, sweep: str) -> None:
    """Stars for half of the answers, a pick, and what the report is to say."""
    progress = services.sweeps.progress.of(LOCAL_OWNER, sweep)
    for one in progress.cells:
        best = 5 - abs((one.temperature or 0) - 0.7) * 2 - 0.4 * one.row
        if one.repeat < 2:
            stars = Rating(max(1, min(5, round(best))))
            ratings.rate(db, LOCAL_OWNER, progress.results[one.id].id, stars)
    picked = next(one.id for one in progress.cells if (one.row, one.column) == (0, 2))
    decision.pick(db, LOCAL_OWNER, sweep, picked)
    decision.set_rules(db, LOCAL_OWNER, sweep, [Rule("lacks", "never"), Rule("words", "70")])
    wish = "Take **claude-sonnet-4** for the shop; for the catalogue of 4,000 items *gpt-4o* will do."
    options = ReportOptions("Which model writes our product texts?", "Kim Lee, Marketing", wish)
    decision.set_report(db, LOCAL_OWNER, sweep, options)


def told_pages(page: Page, address: str, look: str) -> None:
    """Each view, the first slide, and the saved report."""
    _answers(page, address, look)
    for view, there in (("charts", "sweep_chart_save"), ("judge", "sweep_rule_new"), ("report", "sweep_present")):
        page.goto(f"{address}&sweep_view={view}")
        expect(key(page, there)).to_be_visible(timeout=SECONDS)
        if view == "charts":
            expect(page.locator("img[src^='data:image/svg']").last).to_be_visible(timeout=SECONDS)
        picture(page, f"told-{view}", look)
    with page.expect_download() as saved:
        key(page, "sweep_report").locator("button").click()
    key(page, "sweep_present").locator("button").click()
    expect(key(page, "sweep_slide")).to_be_visible(timeout=SECONDS)
    picture(page, "told-present", look)
    if look != "desktop":
        return
    with tempfile.TemporaryDirectory() as folder:
        saved.value.save_as(Path(folder) / "report.html")
        page.goto((Path(folder) / "report.html").as_uri())
        picture(page, "told-paper", look)


def _answers(page: Page, address: str, look: str, name: str = "told-{}") -> None:
    """The answers as a grid, and side by side at a high temperature."""
    for view, there in (("grid", ".place"), ("read", ".column")):
        page.goto(f"{address}&sweep_view={view}")
        expect(key(page, "sweep_grid").locator(there).first).to_be_visible(timeout=SECONDS)
        if view == "read":
            key(page, "sweep_grid").get_by_role("slider").fill("3")
        picture(page, name.format(view), look)


def twelve_models(page: Page, address: str, look: str) -> None:
    """Twelve models on a wide screen."""
    _answers(page, address, look, "told-{}-12")
    page.goto(f"{address}&sweep_view=charts")
    expect(key(page, "sweep_chart_save")).to_be_visible(timeout=SECONDS)
    picture(page, "told-charts-12", look)


def shoot(browser: Browser, looks: Iterable[str], work: Callable[[Page, str], None]) -> None:
    """Do `work` on a page of a visitor with each look in turn."""
    for look in looks:
        context = browser.new_context(**LOOKS[look])  # type: ignore[arg-type]
        context.set_default_timeout(SECONDS)
        work(context.new_page(), look)
        context.close()


def practice(page: Page, url: str, look: str) -> None:
    """The three pages: empty, at work, done."""
    page.goto(url)
    expect(key(page, "chat_input")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-empty", look)
    page.get_by_test_id("stChatInputTextArea").fill("Explain in three short points why the sky is blue.")
    page.keyboard.press("Enter")
    expect(key(page, "chat_stop")).to_be_visible(timeout=SECONDS)
    expect(key(page, "answer_0")).to_contain_text(" ", timeout=SECONDS)
    picture(page, "chat-writing", look)
    expect(key(page, "chat_regenerate")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-done", look)
    if "sweep-done" not in KEPT[look].split():
        return
    page.goto(f"{url}/sweep?models=local/SmolLM2-135M-Instruct&{SWEEP}")
    expect(key(page, "sweep_run")).to_be_visible(timeout=SECONDS)
    picture(page, "sweep-ready", look)
    key(page, "sweep_run").get_by_role("button").click()
    if look == "desktop":
        expect(key(page, "sweep_stop")).to_be_visible(timeout=SECONDS)
        expect(cell(page, "0_0_0").first).not_to_have_text(WAITS, timeout=5 * SECONDS)
        picture(page, "sweep-running", look)
    else:
        key(page, "sweep_run_stored").get_by_role("button").click()
    expect(key(page, "sweep_csv")).to_be_visible(timeout=5 * SECONDS)
    picture(page, "sweep-done", look)
    page.goto(f"{url}/usage")
    expect(key(page, "usage_models")).to_be_visible(timeout=SECONDS)
    picture(page, "usage", look)


def troubles(page: Page, url: str, look: str) -> None:
    """What a person sees when things go wrong, and where services are connected."""
    page.goto(f"{url}/?model=error-402&prompt=Hello")
    expect(key(page, "chat_input")).to_be_visible(timeout=SECONDS)
    key(page, "chat_settings").locator("summary").first.click()
    picture(page, "settings", look)
    key(page, "chat_settings").locator("summary").first.click()
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(key(page, "chat_regenerate")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-failed", look)
    key(page, "connection_open").get_by_role("button").click()
    expect(key(page, "connection_save")).to_be_visible(timeout=SECONDS)
    picture(page, "connection", look)
    host = url.removeprefix("http://")
    page.goto(f"{url}/sweep?models=echo,error-401,long-300&temperatures=0,1&repeats=1&prompt=Praise%20{host}")
    expect(key(page, "sweep_run")).to_be_visible(timeout=SECONDS)
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_csv")).to_be_visible(timeout=SECONDS)
    picture(page, "sweep-failed", look)


def more_of_chat(page: Page, url: str, look: str) -> None:
    """What Chat has beyond one question and its answer."""
    page.goto(f"{url}/?model=long-60&prompt=Praise%20tea%20in%20one%20sentence.")
    expect(key(page, "chat_input")).to_be_visible(timeout=SECONDS)
    key(page, "chat_beside_open").get_by_role("button").first.click()
    field = key(page, "chat_models_beside").locator("input").first
    field.fill("reason")
    field.press("Enter")
    expect(key(page, "chat_models_beside")).to_contain_text("reason")
    page.keyboard.press("Escape")
    page.get_by_test_id("stChatInputTextArea").click()
    expect(key(page, "chat_models_beside")).not_to_be_visible()
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(key(page, "chat_regenerate")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-beside", look)
    page.goto(f"{url}/?model=echo&max_tokens=20&prompt=Praise%20tea%20once%20more.")
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(key(page, "chat_regenerate")).to_be_visible(timeout=SECONDS)
    key(page, "figures_0").get_by_role("button").click()
    expect(key(page, "inspect_0")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-numbers", look)
    key(page, "inspect_0").get_by_role("button").click()
    expect(page.get_by_test_id("stDialog").get_by_test_id("stCode")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-code", look)
    page.keyboard.press("Escape")
    key(page, "chat_models_open").get_by_role("button").click()
    expect(key(page, "chat_models_filter")).to_be_visible(timeout=SECONDS)
    picture(page, "chat-models", look)


def picture(page: Page, name: str, look: str) -> None:
    """Save what the window shows, in 256 colours: a third of the bytes, and nobody sees it."""
    if name not in KEPT[look].split():
        return
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=SECONDS)
    page.wait_for_timeout(700)  # for fonts, charts and opening panels, which announce themselves nowhere
    shown = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    shown.save(FOLDER / f"{name}-{look}.png", optimize=True)


if __name__ == "__main__":
    main()

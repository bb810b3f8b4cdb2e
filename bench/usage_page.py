"""The Usage page over a long history, in Chromium: until it is there, and until a choice on it shows.

    python -m bench.usage_page [--calls 1000000] [--runs 5] [--store FILE] [--profile]

The history is that of `bench.totals`, which ends today. "Page" is from the press of *Usage* on another page until the
figures have been painted, and until the last change; "open" is the same from a new tab's address on; a choice is from
the press until the figures (the section, the calls) are those of the choice. Beside each the server's own CPU time.
`--store` keeps the filled database for the next run, `--profile` prints what the page's Python does, without a browser.
"""

import argparse
import cProfile
import os
import pstats
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench import totals
from bench.apps import SECONDS, chromium, spread
from bench.page_memory import resident_mb
from lib.core.clock import DAY
from lib.store.database import Store
from lib.ui.shared import resources
from tests.app_server import AppServer, app_server
from tests.pages import switch_page, tab_of

Figures = dict[str, list[tuple[float, float, float]]]
LIFE = {"TEMPERA_LOCAL_MODEL": "false"}
SCOPE, MORE, TILES = ".st-key-usage_scope", ".st-key-usage_more", ".st-key-usage_tiles"
CHOICES = {
    "30 days": (f"{SCOPE} button:has-text('30 days')", TILES),
    "All": (f"{SCOPE} button:has-text('All')", TILES),
    "All calls": (f"{MORE} button:has-text('All calls')", ".st-key-usage_calls"),
    "Speed and problems": (f"{MORE} button:has-text('Speed')", ".st-key-usage_speed"),
    "Check the bill": (f"{MORE} button:has-text('Check')", ".st-key-usage_bill"),
    "Overview": (f"{MORE} button:has-text('Overview')", ".st-key-usage_chart"),
}
FILTER = ("[role=option]:has-text('o3')", TILES, "a filter on")
CHIP = (".st-key-usage_chip_0 button", TILES, "a filter off")

# Resolves with the milliseconds from the press (or from the page's own beginning) until what `selector` finds has
# changed and is painted, and until the page's last change before half a second without any.
WATCH = """([selector, changes]) => {
    const text = () => {
        const part = document.querySelector(selector);
        return part && !part.closest("[data-stale=true]") && !part.querySelector("[data-stale=true]") &&
            part.textContent;
    };
    const before = changes ? text() : null;
    window.chosen = new Promise(resolve => {
        let pressed, seen, changed, timer;
        document.addEventListener("pointerdown", () => { pressed = performance.now(); }, {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (pressed === undefined) return;
            requestAnimationFrame(() => setTimeout(() => {
                changed = performance.now();
                const now = text();
                if (seen === undefined && now && now !== before) seen = changed;
                if (seen === undefined) return;
                clearTimeout(timer);
                timer = setTimeout(() => { observer.disconnect(); resolve([seen - pressed, changed - pressed]); }, 500);
            }));
        });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
    });
}"""


def filled(path: Path, count: int) -> None:
    """A history of a year until today, in a new database."""
    store = Store.open(f"sqlite:///{path}")
    today = int(time.time() * 1_000_000) // DAY * DAY
    totals.fill(store, count, today + DAY - totals.YEAR)
    store.close()


def cpu_of(app: AppServer) -> float:
    """Milliseconds of CPU that the server has taken."""
    process = psutil.Process(app.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return 1000 * float(sum(one.user + one.system for one in times))


def pressed(page: Page, app: AppServer, selector: str, there: str, changes: bool) -> tuple[float, float, float]:
    """Milliseconds from the press of what `selector` finds until `there` has been painted (where it `changes`: anew),
    and until the page rests; and of the server's CPU."""
    button = page.locator(selector).first
    expect(button).to_be_visible(timeout=SECONDS)
    before = cpu_of(app)
    page.evaluate(WATCH, [there, changes])
    button.click()
    seen, rest = page.evaluate("() => window.chosen")
    return float(seen), float(rest), cpu_of(app) - before


def opened_anew(context: BrowserContext, app: AppServer) -> tuple[float, float, float]:
    """The same of a new tab, from its address on."""
    page, before = context.new_page(), cpu_of(app)
    began = time.perf_counter()
    page.goto(f"{app.url}/usage?scope=all")
    page.locator(TILES).first.wait_for(timeout=SECONDS)
    seen = time.perf_counter()
    page.locator(".st-key-usage_chart svg").first.wait_for(timeout=SECONDS)
    rest = time.perf_counter()
    took = cpu_of(app) - before
    page.close()
    return 1000 * (seen - began), 1000 * (rest - began), took


def measured(browser: Browser, app: AppServer, runs: int) -> Figures:
    """What each thing took, run by run; the first run only warms up."""
    took: Figures = {}
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{app.url}/usage?scope=all")
    expect(page.locator(TILES)).to_be_visible(timeout=SECONDS)
    for _run in range(runs + 1):
        page.locator(".st-key-frame a:has-text('Chat')").click()
        expect(page.locator(".st-key-chat_input")).to_be_visible(timeout=SECONDS)
        page.wait_for_timeout(1000)
        usage = ".st-key-frame a:has-text('Usage')"
        took.setdefault("the page", []).append(pressed(page, app, usage, TILES, False))
        for name, (button, there) in CHOICES.items():
            took.setdefault(name, []).append(pressed(page, app, button, there, there == TILES))
        page.get_by_role("button", name="Filters").click()
        page.locator(".st-key-usage_filters ~ *, [class*=st-key-usage_filter_models]").get_by_role(
            "combobox"
        ).last.click()
        for button, there, name in (FILTER, CHIP):
            took.setdefault(name, []).append(pressed(page, app, button, there, True))
            page.keyboard.press("Escape")
            page.keyboard.press("Escape")
        took.setdefault("a new tab", []).append(opened_anew(context, app))
    return {name: figures[1:] for name, figures in took.items()}


@contextmanager
def history(kept: Path | None, count: int) -> Iterator[Path]:
    """A data folder with the history in it; filled once where `kept` names a file for it."""
    with tempfile.TemporaryDirectory() as folder:
        source = kept or Path(folder) / "filled.db"
        if not source.exists():
            filled(source, count)
        (Path(folder) / "data").mkdir()
        shutil.copy(source, Path(folder) / "data" / "tempera.db")
        yield Path(folder)


def profiled(data: Path) -> None:
    """The page's own Python by AppTest: two runs, then one under the profiler."""
    os.environ.update(LIFE, TEMPERA_DATA_DIR=str(data))
    app = tab_of("")
    app.query_params["scope"] = "all"
    switch_page(app.run(), "usage").run()
    profile = cProfile.Profile()
    # The script runs in a thread of its own: its first event turns the profiler on there.
    threading.setprofile(lambda *_event: profile.enable())
    began = time.perf_counter()
    app.run()
    threading.setprofile(None)
    print(f"a run: {1000 * (time.perf_counter() - began):.0f} ms")
    pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    resources.close()


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Time the Usage page over a long history.")
    options.add_argument("--calls", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--store", type=Path)
    options.add_argument("--profile", action="store_true")
    asked = options.parse_args()
    with history(asked.store, asked.calls) as folder:
        if asked.profile:
            profiled(folder / "data")
            return
        with app_server(folder / "data", 0, **LIFE) as app, chromium() as browser:
            before = resident_mb(app.process.pid)
            took = measured(browser, app, asked.runs)
            grown = resident_mb(app.process.pid) - before
    head = "| what | painted, ms: median | least | most | at rest, ms: median | least | most | server CPU, ms: median "
    print(head + "| least | most |", "|---" * 10 + "|", sep="\n")
    for name, figures in took.items():
        print(f"| {name} | {' | '.join(spread(some) for some in zip(*figures, strict=True))} |")
    print(f"memory: {grown:+.0f} MB")


if __name__ == "__main__":
    main()

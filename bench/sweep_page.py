"""A sweep with its page open in Chromium: how it keeps up, how soon clicks are answered, what memory it takes.

    python -m bench.sweep_page [--large] [--history] [--whole] [--vary] [--pace 2]

200 streamed answers, 16 at a time; `--large`: 2,000, 64 at a time; with `--history` the same sweep was run before, and
with `--whole` the service gives each answer in one piece, whatever it is asked for. Clicks go back and forth between
Grid and Read as long as the sweep runs, two at once and then `--pace` seconds none: milliseconds from the press until
what was asked for is seen, of an answer to read its first lines, or that it has not come. Makespan and ideal as in
`bench.sweep`. CPU is the server's, with all that it does for the page; what it takes without one is told by
`bench.sweep --stream` with the same options.
"""

import argparse
import os
import re
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from bench.answers import WATCH, cpu
from bench.apps import SECONDS, chromium, spread
from bench.peers import CONCURRENCY, LARGE, MODELS, PROMPT, REPEATS, TEMPERATURES
from bench.sweep import asked, least, upstream
from lib.gateway.endpoints import name_of
from tests.app_server import AppServer, app_server
from tests.browsing import key

FOUND = {"Read": "root.querySelector('.column .text, .column .note')", "Grid": "root.querySelector('.place')"}
LONGEST = 900_000


def memory(app: AppServer) -> dict[str, float]:
    """Megabytes that the app's process has now (`VmRSS`) and had at most (`VmHWM`)."""
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    return {name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"(VmRSS|VmHWM):\s+(\d+)", status)}


def begin(page: Page, url: str, service: str, models: tuple[str, ...], repeats: int, places: int) -> None:
    """Open the form as a link fills it, and run it."""
    temperatures = ",".join(f"{one:g}" for one in (TEMPERATURES if len(models) > 1 else (0.0,)))
    names = ",".join(f"{service}/{model}" for model in models)
    plan = {"models": names, "temperatures": temperatures, "prompt": PROMPT, "repeats": repeats, "concurrency": places}
    page.goto(f"{url}/sweep?{urlencode(plan)}")
    key(page, "sweep_run").get_by_role("button").click()
    asks = key(page, "sweep_run_anyway").get_by_role("button")
    running = key(page, "sweep_progress")
    expect(asks.or_(running).first).to_be_visible(timeout=SECONDS)
    if asks.count():
        asks.click()
    running.wait_for()


def click(page: Page, view: str) -> float:
    """Milliseconds until a view is seen that was pressed."""
    page.evaluate(WATCH, FOUND[view])
    key(page, "sweep_view").get_by_text(view, exact=True).click()
    return float(page.evaluate("() => window.waited"))


def walk(page: Page, total: int, pace: float) -> list[float]:
    """Click until all is answered; how long each click took."""
    took: list[float] = []
    expect(key(page, "sweep_progress")).to_contain_text(f"of {total:,}")  # until then the sweep before it is shown
    while f"of {total:,}" in key(page, "sweep_progress").inner_text():
        took += [click(page, "Read"), click(page, "Grid")]
        page.wait_for_timeout(1000 * pace)
    return took


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="Measure a sweep with its page open.")
    options.add_argument("--large", action="store_true")
    options.add_argument("--history", action="store_true")
    for flag in ("--whole", "--vary"):
        options.add_argument(flag, action="store_true")
    options.add_argument("--pace", type=float, default=0.5)
    chosen = Namespace(**vars(options.parse_args()), rate=0.0)
    repeats, places = (LARGE["repeats"], LARGE["concurrency"]) if chosen.large else (REPEATS, CONCURRENCY)
    total = len(MODELS) * len(TEMPERATURES) * repeats
    manner = [f"--{name}" for name in ("whole", "vary") if getattr(chosen, name)]
    with tempfile.TemporaryDirectory() as folder, upstream(*manner) as base_url, chromium() as browser:
        service = name_of(base_url)
        settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_API_KEY": "sk-bench", "TEMPERA_LOCAL_MODEL": "false"}
        with app_server(Path(folder) / "data", 0, **settings) as app:
            page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
            page.set_default_timeout(LONGEST)
            # What is slow only once: everything is imported and compiled by the first answers.
            begin(page, app.url, service, ("fast",), 4, 1)
            expect(key(page, "sweep_progress")).to_contain_text("4 answers, none failed")
            if chosen.history:
                begin(page, app.url, service, MODELS, repeats, places)
                walk(page, total, chosen.pace)
            page.wait_for_timeout(2_000)
            before, spent = memory(app)["VmRSS"], cpu(app)
            asked(base_url, "/__reset")
            began = time.time()
            begin(page, app.url, service, MODELS, repeats, places)
            took = walk(page, total, chosen.pace)
            log = asked(base_url, "/__log")
            spent, after = cpu(app) - spent, memory(app)
        makespan = max(one["finished"] or 0 for one in log) - min(one["arrived"] for one in log)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {total} answers, {time.time() - began:.0f} s")
        print(f"makespan / ideal {makespan / least(chosen):.3f}, requests {len(log)}")
        print(f"clicks: {len(took)}, ms median | least | most: {spread(took)}")
        print(f"server CPU ms per call {spent / total:.1f}")
        print(f"memory MB before {before:.0f}, after {after['VmRSS']:.0f}, most {after['VmHWM']:.0f}")


if __name__ == "__main__":
    main()

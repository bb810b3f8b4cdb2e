"""A sweep's answers in Chromium: how long until the grid is there, a filter is on, Read has turned a page, the
temperature has moved.

    python -m bench.answers [--runs 5]

No model is asked. Milliseconds from the press of the mouse, or of a key, to the frame in which it is seen; and the CPU
time that the server took for it. The load of the machine stands beside, as both depend on it.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page

from bench.apps import SECONDS, chromium, spread
from lib.services import Services
from lib.settings import Settings
from tests.app_server import AppServer, app_server
from tests.browsing import key
from tests.made_sweeps import MODELS, make_sweep

SHAPES = {"200": (10, (0, 0.3, 0.7, 1.0, 1.5), 4), "2,000": (10, tuple(n / 10 for n in range(10)), 20)}
WATCH = """seen => {
    const all = () => [...document.querySelectorAll(".st-key-sweep_grid *")];
    const inside = () => all().map(one => one.shadowRoot).find(Boolean);
    const test = new Function("root", `return ${seen}`);
    let began;
    for (const kind of ["pointerdown", "keydown"])
        document.addEventListener(kind, () => { began ??= performance.now(); }, {capture: true, once: true});
    window.waited = new Promise(resolve => {
        const look = () => {
            const root = inside();
            if (began !== undefined && root && test(root)) setTimeout(() => resolve(performance.now() - began));
            else requestAnimationFrame(look);
        };
        look();
    });
}"""


def cpu(app: AppServer) -> float:
    """Milliseconds of CPU time that the app's process has taken so far."""
    fields = Path(f"/proc/{app.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def timed(page: Page, app: AppServer, act: Callable[[], None], seen: str) -> tuple[float, float]:
    """(milliseconds until `seen`, a condition in JavaScript over the component's `root`, holds after `act`, CPU)."""
    page.wait_for_timeout(700)
    before = cpu(app)
    page.evaluate(WATCH, seen)
    act()
    took = float(page.evaluate("() => window.waited"))
    page.wait_for_timeout(400)
    return took, cpu(app) - before


def steps(page: Page, app: AppServer, sweep_id: str, total: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """One walk through a sweep."""
    cells = "root.querySelectorAll('[data-cell]').length"
    yield (
        "open the grid",
        timed(page, app, key(page, f"sweep_open_{sweep_id}").get_by_role("button").click, f"{cells} === {total}"),
    )
    pill = key(page, "sweep_show").get_by_text("differs from temperature 0", exact=True)
    yield "filter on", timed(page, app, pill.click, f"{cells} < {total}")
    yield "filter off", timed(page, app, pill.click, f"{cells} === {total}")
    read = key(page, "sweep_view").get_by_text("Read", exact=True)
    yield "open Read", timed(page, app, read.click, "root.querySelectorAll('.column .text').length === 3")
    slider = key(page, "sweep_grid").get_by_role("slider")
    slider.focus()
    moved = (
        "root.querySelector('.column').dataset.cell.split('_')[1] !== '0' && CSS.highlights.get('sweep-different').size"
    )
    yield "move the temperature", timed(page, app, lambda: page.keyboard.press("End"), moved)
    forward = key(page, "sweep_grid").get_by_role("button", name="Models after these")
    yield (
        "turn a page of Read",
        timed(page, app, forward.click, "root.querySelector('.column').dataset.cell.startsWith('3_')"),
    )


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description="Measure the answers of a sweep in a browser.")
    options.add_argument("--runs", type=int, default=5)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        services = Services.open(Settings(data_dir=data, local_model=False))
        ids = {
            name: make_sweep(services.store, MODELS[: shape[0]], shape[1], shape[2]) for name, shape in SHAPES.items()
        }
        services.close()
        settings = {
            "TEMPERA_BASE_URL": "http://127.0.0.1:9/v1",
            "TEMPERA_API_KEY": "sk-bench",
            "TEMPERA_LOCAL_MODEL": "false",
        }
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median, least and most of {runs} runs")
        print("| answers | step | ms | least | most | server CPU ms |\n|---|---|---|---|---|---|")
        with app_server(data, 0, **settings) as app, chromium() as browser:
            for name, (models, temperatures, repeats) in SHAPES.items():
                found: dict[str, list[tuple[float, float]]] = {}
                for _run in range(runs):
                    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
                    context.set_default_timeout(SECONDS)
                    page = context.new_page()
                    page.goto(f"{app.url}/sweep")
                    key(page, "sweep_new").wait_for()
                    for step, took in steps(page, app, ids[name], models * len(temperatures) * repeats):
                        found.setdefault(step, []).append(took)
                    context.close()
                for step, all_of_it in found.items():
                    times, cpus = zip(*all_of_it, strict=True)
                    print(f"| {name} | {step} | {spread(times)} | {spread(cpus).partition(' |')[0]} |", flush=True)
        print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

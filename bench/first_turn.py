"""The first turn of a fresh server process beside later ones: Tempera and a bare Streamlit app, in the same run.

    python -m bench.first_turn [--runs 5]

What is measured is what the app adds to the first word on screen (see bench.first_word), in three places: the first
turn of a process, in the first tab that it serves; the first turn of another tab; and a warm turn, the median of three
more in that tab. What the second one takes is the browser's share: a page that draws its first message. The apps take
turns, each time in a new process and with an empty browser cache.
"""

import argparse
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from bench.apps import APPS, chromium, opened, spread
from bench.first_word import MODEL, added
from bench.sweep import upstream

WARM_TURNS = 3
PLACES = ("first turn of a process", "first turn of another tab", "warm turn")
Turns = tuple[float, float, float]


def one_process(app: AbstractContextManager[str], browser: Browser) -> Turns:
    """Milliseconds added in each of the three places."""
    with app as url:
        context = browser.new_context()
        first = added(opened(context, url), "Tell me about the sea.")
        page = opened(context, url)
        other = added(page, "Tell me about the hills.")
        warm = median(added(page, f"Tell me about the hills, part {turn}.") for turn in range(WARM_TURNS))
        context.close()
    return first, other, warm


def measured(runs: int) -> dict[str, list[Turns]]:
    """The three figures, process by process, for each app."""
    took: dict[str, list[Turns]] = {name: [] for name in APPS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base_url = stack.enter_context(upstream())
        browser = stack.enter_context(chromium())
        for _ in range(runs):
            for name, app in APPS.items():
                took[name].append(one_process(app(folder, base_url, MODEL), browser))
    return took


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare the first turn of a process with later ones.")
    options.add_argument("--runs", type=int, default=5)
    took = measured(options.parse_args().runs)
    print("| app | added to the first word | median | least | most |", "|---|---|---|---|---|", sep="\n")
    for name, processes in took.items():
        for place, figures in zip(PLACES, zip(*processes, strict=True), strict=True):
            print(f"| {name} | {place}, ms | {spread(figures)} |")
        ratios = [first / max(warm, 1.0) for first, _, warm in processes]
        print(f"| {name} | first / warm | {spread(ratios, '.2f')} |")


if __name__ == "__main__":
    main()

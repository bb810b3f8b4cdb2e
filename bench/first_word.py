"""The first word on screen: Tempera beside a bare Streamlit app, in the same Chromium, in the same run.

    python -m bench.first_word [--runs 7]

What is measured is what the app adds: from Enter until the first word is painted, less the upstream's own time. The
apps take turns; each app's first turn only warms it up.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page

from bench.apps import APPS, chromium, opened, painted, spread
from bench.sweep import upstream
from bench.upstream import WORDS, timing

MODEL = "steady-60-100"
MOST_RUNS = 14
"""Of a chat's last 30 messages, which are all that Tempera draws: with more, words go as others come."""


def added(page: Page, prompt: str) -> float:
    """Milliseconds that the app adds to the first word of one turn; returns when the page has come to rest."""
    return painted(page, prompt, WORDS[0])[0] - 1000 * timing(MODEL, None, prompt).first


def measured(runs: int) -> dict[str, list[float]]:
    """Milliseconds added, turn by turn, for each app."""
    took: dict[str, list[float]] = {name: [] for name in APPS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base_url = stack.enter_context(upstream())
        urls = {name: stack.enter_context(app(folder, base_url, MODEL)) for name, app in APPS.items()}
        context = stack.enter_context(chromium()).new_context()
        pages = {name: opened(context, url) for name, url in urls.items()}
        for turn in range(runs + 1):
            for name, page in pages.items():
                took[name].append(added(page, f"Tell me about the sea, part {turn}."))
    return {name: figures[1:] for name, figures in took.items()}


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare the first word on screen with a bare Streamlit app.")
    options.add_argument("--runs", type=int, default=7, choices=range(1, MOST_RUNS + 1), metavar=f"1-{MOST_RUNS}")
    print("| app | added to the first word, ms: median | least | most |", "|---|---|---|---|", sep="\n")
    for name, figures in measured(options.parse_args().runs).items():
        print(f"| {name} | {spread(figures)} |")


if __name__ == "__main__":
    main()

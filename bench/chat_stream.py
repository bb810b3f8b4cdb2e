"""A fast long answer: Tempera beside a bare Streamlit app, in the same Chromium, in the same run.

    python -m bench.chat_stream [--runs 5] [--model prose-1500-300]

Two figures a turn. The lag: from the upstream's last byte to the last word painted. The traffic: bytes that the page
gets over its WebSocket in the whole turn, for each byte of the answer; payloads as the page reads them, so that no
compression counts. The apps take turns; each app's first turn only warms it up.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page

from bench.apps import APPS, chromium, opened, painted, spread
from bench.frames import Frames
from bench.sweep import asked, upstream
from bench.upstream import text, timing

MODEL = "prose-1500-300"


def measured_turn(page: Page, frames: Frames, base_url: str, model: str, prompt: str) -> tuple[float, float]:
    """(lag in milliseconds, bytes received for each byte of text) of one turn."""
    answer = text(model, timing(model, None, prompt).tokens)
    last = answer.split()[-1]
    asked(base_url, "/__reset")
    frames.forget()
    _, at = painted(page, prompt, last, answer.count(last))
    finished = next(one["finished"] for one in asked(base_url, "/__log") if one["prompt"] == prompt)
    return 1000 * (at - finished), sum(frame.size for frame in frames.received) / len(answer.encode())


def measured(runs: int, model: str) -> dict[str, list[tuple[float, float]]]:
    """Lag and traffic, turn by turn, for each app."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in APPS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base_url = stack.enter_context(upstream())
        urls = {name: stack.enter_context(app(folder, base_url, model)) for name, app in APPS.items()}
        browser = stack.enter_context(chromium())
        for turn in range(runs + 1):
            for name, url in urls.items():
                # A tab for each turn: what a page holds from earlier turns slows its painting.
                page = opened(browser.new_context(), url)
                prompt = f"Tell me about the sea, part {turn}."
                took[name].append(measured_turn(page, Frames(page), base_url, model, prompt))
                page.context.close()
    return {name: figures[1:] for name, figures in took.items()}


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare a fast long answer with a bare Streamlit app.")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--model", default=MODEL)
    given = options.parse_args()
    print("| app | lag, ms: median | least | most | bytes for each byte of text: median | least | most |")
    print("|---" * 7 + "|")
    for name, turns in measured(given.runs, given.model).items():
        lags, traffic = zip(*turns, strict=True)
        print(f"| {name} | {spread(lags)} | {spread(traffic, '.1f')} |")


if __name__ == "__main__":
    main()

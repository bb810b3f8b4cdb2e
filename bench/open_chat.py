"""What a click takes until the page is there: another chat of 30 turns, and another page.

    python -m bench.open_chat [--runs 10]

In Chromium, from the press until the newest answer (or the new page's own part) has been painted, and until the page's
last change. Two chats are opened in turns; the first round only warms up.
"""

import argparse
import tempfile
from functools import partial
from itertools import cycle
from pathlib import Path

from playwright.sync_api import Page, expect

from bench.apps import SECONDS, chromium, opened, spread, tempera
from bench.long_chat import COOKIES, MODEL, write_chat
from bench.sweep import upstream
from lib.store.database import Store

TURNS = 30
PAGES = {"Usage": "usage_scope", "Sweep": "sweep_prompt", "Chat": "chat_input"}
Figures = dict[str, list[tuple[float, float]]]

# Resolves with the milliseconds from the press until `there()` is true and painted, and until the last change of the
# page before half a second without any.
WATCH = """([selector, text]) => {
    const there = () => {
        const last = [...document.querySelectorAll(selector)].at(-1);
        return last && !last.closest("[data-stale=true]") && last.textContent.includes(text);
    };
    window.opened = new Promise(resolve => {
        let pressed, seen, changed, timer;
        document.addEventListener("pointerdown", () => { pressed = performance.now(); }, {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (pressed === undefined) return;
            requestAnimationFrame(() => setTimeout(() => {
                changed = performance.now();
                if (seen === undefined && there()) seen = changed;
            }));
            clearTimeout(timer);
            timer = setTimeout(() => { observer.disconnect(); resolve([seen - pressed, changed - pressed]); }, 500);
        });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
    });
}"""


def filled(folder: Path) -> list[str]:
    """The ids of two chats of as many turns, with texts of their own, in the data folder that Tempera will use."""
    store = Store.open(f"sqlite:///{folder / 'data' / 'tempera.db'}")
    ids = [store.write(partial(write_chat, messages=TURNS + 2 * more)).result() for more in range(2)]
    store.close()
    return ids


def pressed(page: Page, selector: str, there: str, text: str = "") -> tuple[float, float]:
    """Milliseconds from the press of what `selector` finds: until the last of `there` holds `text`, and until
    the page rests."""
    button = page.locator(selector).first
    expect(button).to_be_visible(timeout=SECONDS)
    page.evaluate(WATCH, [there, text])
    button.click()
    seen, rest = page.evaluate("() => window.opened")
    return float(seen), float(rest)


def measured(url: str, ids: list[str], runs: int) -> Figures:
    """Pairs of milliseconds, for opening a chat and for each change of page."""
    took: Figures = {}
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        for name, value in COOKIES.items():
            context.add_cookies([{"name": name, "value": value, "url": url.partition("?")[0]}])
        page = opened(context, f"{url}&chat={ids[0]}")
        for _run, at in zip(range(2 * runs + 2), cycle((1, 0)), strict=False):
            last = (TURNS + 2 * at) // 2 - 1
            newest = ("[data-testid=stChatMessage]", f"Answer {last}.")
            found = pressed(page, f".st-key-chat_open_{ids[at]} button", *newest)
            took.setdefault("a chat of 30 turns", []).append(found)
        for _run in range(runs + 1):
            for name, part in PAGES.items():
                found = pressed(page, f".st-key-frame a:has-text('{name}')", f".st-key-{part}")
                took.setdefault(f"the page {name}", []).append(found)
    return {name: figures[len(figures) // (runs + 1) :] for name, figures in took.items()}


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Time the opening of a chat and of a page.")
    options.add_argument("--runs", type=int, default=10)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, upstream() as base_url:
        ids = filled(Path(folder))
        with tempera(Path(folder), base_url, MODEL) as url:
            took = measured(url, ids, runs)
    print(
        "| opened | painted, ms: median | least | most | at rest, ms: median | least | most |",
        "|---" * 7 + "|",
        sep="\n",
    )
    for name, figures in took.items():
        seen, rest = zip(*figures, strict=True)
        print(f"| {name} | {spread(seen)} | {spread(rest)} |")


if __name__ == "__main__":
    main()

"""A full rerun of the page in a chat of 2,000 messages, beside a chat of 30, in the same run.

    python -m bench.long_chat [--runs 10]

Two figures. The server's time: from a request for a full script run until all that it drew has come, at a tab without
a browser (bench.tab). And in Chromium, from the press of a button, “Edit last” and “Cancel” in turns, until
the page has come to rest. The chats take turns; the first round only warms up.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Page, expect
from sqlalchemy import Connection

from bench.apps import SECONDS, chromium, opened, spread, tempera
from bench.sweep import upstream
from bench.tab import tab
from bench.upstream import text
from lib.calls import records
from lib.chat import repository as chats
from lib.core.parameters import Params
from lib.core.reply import Delta, Reply, Usage
from lib.core.request import Call, ChatRequest, Message
from lib.store import process_lock
from lib.store.database import Store
from lib.visitor import LOCAL_OWNER
from lib.web_server import SESSION_COOKIE

T = TypeVar("T")
Figures = dict[int, list[float]]
OWNER, SESSION = LOCAL_OWNER, "0" * 31 + "2"
COOKIES = {SESSION_COOKIE: SESSION}
MODEL = "prose-100-100"
LENGTHS = (30, 2000)
ANSWER_TOKENS = 120
BUTTONS = ("chat_edit_last", "edit_cancel")

# Resolves with the milliseconds from the press to the last change of the page before half a second without any.
SETTLED = """() => {
    window.settled = new Promise(resolve => {
        let pressed, changed, timer;
        document.addEventListener("pointerdown", () => { pressed = performance.now(); }, {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (pressed === undefined) return;
            requestAnimationFrame(() => setTimeout(() => { changed = performance.now(); }));
            clearTimeout(timer);
            timer = setTimeout(() => { observer.disconnect(); resolve(changed - pressed); }, 500);
        });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    });
}"""


def write_chat(db: Connection, messages: int) -> str:
    """A chat of so many messages, questions and answers of calls in turn; its id."""
    chat_id = chats.new_chat(db, OWNER, f"A chat of {messages} messages")
    parent = None
    for number in range(messages // 2):
        question = f"Question {number}: what is there to be said about it?"
        asked = chats.add_message(db, OWNER, chat_id, parent, "user", question)
        request = ChatRequest(MODEL, (Message(role="user", content=question),), Params())
        call = Call(f"{messages:016x}{number:016x}", OWNER, SESSION, "chat", "bench", request)
        records.start_call(db, call, process_lock.ID)
        parent = chats.add_answers(db, OWNER, chat_id, asked, call.id, 1)[0]
        records.finish_call(db, call.id, _outcome(f"Answer {number}. {text(MODEL, ANSWER_TOKENS)}"))
    return chat_id


def _outcome(answer: str) -> Reply:
    usage = Usage(20, ANSWER_TOKENS, source="reported")
    reply = Reply(model=MODEL, usage=usage, state="ok", seconds=1.5, first_token_seconds=0.3)
    reply.add(Delta(text=answer, finish_reason="stop"))
    return reply


def filled(folder: Path) -> dict[int, str]:
    """The chats' ids by their length, in the data folder that Tempera will use."""
    store = Store.open(f"sqlite:///{folder / 'data' / 'tempera.db'}")
    ids = {length: store.write(partial(write_chat, messages=length)).result() for length in LENGTHS}
    store.close()
    return ids


@contextmanager
def running(folder: Path) -> Iterator[dict[int, str]]:
    """Tempera with the chats; their addresses by their length."""
    ids = filled(folder)
    with upstream() as base_url, tempera(folder, base_url, MODEL) as url:
        yield {length: f"{url}&chat={chat_id}" for length, chat_id in ids.items()}


def served(urls: dict[int, str], runs: int) -> Figures:
    """Milliseconds of the server's for a full run, by the length of the chat."""
    with ExitStack() as stack:
        tabs = {length: stack.enter_context(tab(url, COOKIES)) for length, url in urls.items()}
        return in_turns(runs, tabs, lambda one: 1000 * one.rerun())


def settled(urls: dict[int, str], runs: int) -> Figures:
    """Milliseconds from a press until the page is at rest, by the length of the chat."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        for name, value in COOKIES.items():
            context.add_cookies([{"name": name, "value": value, "url": urls[LENGTHS[0]].partition("?")[0]}])
        pages = {length: opened(context, url) for length, url in urls.items()}
        presses = {length: (page, cycle(BUTTONS)) for length, page in pages.items()}
        return in_turns(runs, presses, lambda one: press(one[0], next(one[1])))


def press(page: Page, name: str) -> float:
    """Milliseconds from the press of a button until the page is at rest."""
    page.bring_to_front()
    button = page.locator(f".st-key-{name} button")
    expect(button).to_be_visible(timeout=SECONDS)
    page.evaluate(SETTLED)
    button.click()
    return float(page.evaluate("() => window.settled"))


def in_turns(runs: int, of: Mapping[int, T], measure: Callable[[T], float]) -> Figures:
    """So many figures of each, after one that is not counted."""
    took: Figures = {length: [] for length in of}
    for _ in range(runs + 1):
        for length, one in of.items():
            took[length].append(measure(one))
    return {length: figures[1:] for length, figures in took.items()}


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Time a full rerun in a long chat.")
    options.add_argument("--runs", type=int, default=20)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as urls:
        server, page = served(urls, runs), settled(urls, runs)
    print("| messages | server, ms: median | least | most | press to rest, ms: median | least | most |")
    print("|---" * 7 + "|")
    for length in LENGTHS:
        print(f"| {length} | {spread(server[length])} | {spread(page[length])} |")


if __name__ == "__main__":
    main()

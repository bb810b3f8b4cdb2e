"""Many people at once: tabs of as many visitors, all of whom read an answer while it is written.

    python -m bench.load [--tabs 50] [--tokens 1000] [--rate 50] [--within 10]

Tempera runs as it does where many share it, each tab is a visitor of its own and a client of the WebSocket without a
browser, the upstream and all clients share the machine with the server. Each tab asks once, their starts spread over
`--within` seconds, reads its answer to the end, asks again and presses Stop in the middle of that. What is measured, in
seconds: from the message until the first word was at the client; from the press until the page said that the answer
has ended; the whole answer, beside the least that it can take. Of the server: threads, memory and open files before,
while all answers are written, and after all tabs are closed; and its share of a core meanwhile.
"""

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from bench.sweep import upstream
from bench.upstream import WORDS
from lib.access import password
from lib.access.sign_ins import COOKIE, SignIns
from lib.store.database import Store
from tests.app_server import AppServer, app_server

PASSWORD = "four words without relation"
SECRET = "a secret of the bench, long enough to sign with"
FIRST_WORD = 0.2
"""Seconds that the upstream takes to it."""
SECONDS = 180
CLOSED_SECONDS = 150
"""Streamlit keeps a session for two minutes after its tab was closed."""


@dataclass(slots=True)
class Tab:
    """One visitor's page. `drawn` are the ids of its widgets, by their keys."""

    socket: ClientConnection
    query: str
    drawn: dict[str, str] = field(default_factory=dict)
    received: int = 0
    frames: int = 0

    async def run(self, pressed: str = "", text: str = "") -> None:
        """Ask for a script run, with a button pressed or a message sent; nothing is waited for."""
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        if pressed:
            asked.rerun_script.widget_states.widgets.add(id=self.drawn[pressed], trigger_value=True)
        if text:
            sent = asked.rerun_script.widget_states.widgets.add(id=self.drawn["chat_input"])
            sent.chat_input_value.data = text
        await self.socket.send(asked.SerializeToString())

    async def until(self, wanted: str) -> float:
        """When `wanted` has come: `end` of a run, a `word` of an answer, or a widget's key that a run has drawn."""
        self.drawn.pop(wanted, None)
        async with asyncio.timeout(SECONDS):
            while not self._takes(await self.socket.recv(), wanted):
                pass
        return time.perf_counter()

    def _takes(self, raw: str | bytes, wanted: str) -> bool:
        assert isinstance(raw, bytes)
        message = ForwardMsg.FromString(raw)
        self.received += len(raw)
        if message.WhichOneof("type") == "page_info_changed":
            self.query = message.page_info_changed.query_string  # as a browser's address does
        if message.WhichOneof("type") != "delta":
            return wanted == "end" and message.WhichOneof("type") == "script_finished"
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("button", "chat_input"):
            id = getattr(element, kind).id
            self.drawn[id.rpartition("-")[2]] = id
        elif kind == "exception":
            raise AssertionError(element.exception.message)
        elif kind == "markdown" and WORDS[0] in element.markdown.body:
            self.frames += 1
            return wanted == "word"
        return wanted in self.drawn


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one tab, in seconds; `frames` are the times that its answer was drawn a second."""

    first_word: float
    whole: float
    stop: float
    frames: float


@dataclass(frozen=True, slots=True)
class Server:
    """Of the server's process at a moment."""

    threads: int
    files: int
    cpu: float
    memory: float

    @classmethod
    def now(cls, process: int) -> "Server":
        """As the system says it."""
        folder = Path(f"/proc/{process}")
        times = (folder / "stat").read_text().rpartition(")")[2].split()
        cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        memory = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cls(len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir())), cpu, memory)


def cookies(count: int, hash: str) -> list[str]:
    """The cookies of so many visitors who have signed in."""
    known = SignIns(hash, SECRET, 3600, Store.in_memory())

    async def all_of_them() -> list[str]:
        return [await known.enter(PASSWORD, f"192.0.2.{number % 250}") for number in range(count)]

    return asyncio.run(all_of_them())


def opened(url: str, cookie: str) -> connect:
    """A page's WebSocket."""
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    return connect(address, additional_headers=headers, subprotocols=["streamlit"], max_size=None, open_timeout=SECONDS)  # type: ignore[list-item]


async def visit(tab: Tab, wait: float, all_read: asyncio.Barrier) -> Figures:
    """Ask, read, ask again and stop."""
    await asyncio.sleep(wait)
    began = time.perf_counter()
    await tab.run(text="Tell me about the sea.")
    first = await tab.until("word")
    tab.frames = 0
    ended = await tab.until("chat_regenerate")
    frames = tab.frames / (ended - first)
    await tab.until("end")
    await all_read.wait()
    await asyncio.sleep(wait)
    await tab.run(text="And about the mountains.")
    await tab.until("chat_stop")
    await tab.until("word")
    await asyncio.sleep(1)
    pressed = time.perf_counter()
    await tab.run(pressed="chat_stop")
    stopped = await tab.until("chat_regenerate")
    await tab.until("end")
    return Figures(first - began, ended - began, stopped - pressed, frames)


async def measured(
    app: AppServer, visitors: list[str], model: str, within: float
) -> tuple[list[Figures], list[Server]]:
    """What each tab saw, and the server: before, at two moments while all answers are written, after."""
    process = app.process.pid
    all_read = asyncio.Barrier(len(visitors))
    async with asyncio.TaskGroup() as group:
        looks = [Server.now(process)]
        sockets = [await opened(app.url, cookie) for cookie in visitors]
        tabs = [Tab(socket, f"model={model}") for socket in sockets]
        for tab in tabs:
            await tab.run()
            await tab.until("end")
        steps = [within * number / len(tabs) for number in range(len(tabs))]
        visits = [group.create_task(visit(tab, step, all_read)) for tab, step in zip(tabs, steps, strict=True)]
        await asyncio.sleep(within + 1)
        for _moment in range(2):
            looks.append(await asyncio.to_thread(Server.now, process))
            await asyncio.sleep(3)
    for socket in sockets:
        await socket.close()
    return [visit.result() for visit in visits], looks


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Many tabs that all read while an answer is written.")
    options.add_argument("--tabs", type=int, default=50)
    options.add_argument("--tokens", type=int, default=1000)
    options.add_argument("--rate", type=int, default=50)
    options.add_argument("--within", type=float, default=10)
    options.add_argument("--closed", action="store_true", help="wait until the closed tabs are forgotten")
    given = options.parse_args()
    hash = password.hashed(PASSWORD)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"TEMPERA_BASE_URL": stack.enter_context(upstream()), "TEMPERA_API_KEY": "sk-bench"}
        settings |= {"TEMPERA_MODE": "shared", "TEMPERA_PASSWORD_HASH": hash, "TEMPERA_COOKIE_SECRET": SECRET}
        settings["TEMPERA_LOCAL_MODEL"] = "false"
        served: AbstractContextManager[AppServer] = app_server(folder / "data", 0, **settings)
        app = stack.enter_context(served)
        model = f"prose-{given.tokens}-{given.rate}"
        seen, looks = asyncio.run(measured(app, cookies(given.tabs, hash), model, given.within))
        if given.closed:
            time.sleep(CLOSED_SECONDS)
        looks.append(Server.now(app.process.pid))
    least = FIRST_WORD + (given.tokens - 1) / given.rate
    print(f"{len(seen)} tabs at {given.rate} tokens a second, upstream: first word {FIRST_WORD} s, whole {least:.1f} s")
    print("| | median | p95 | most |\n|---|---|---|---|")
    for name in ("first_word", "whole", "stop", "frames"):
        figures = sorted(getattr(one, name) for one in seen)
        p95 = quantiles(figures, n=20)[-1] if len(figures) > 1 else figures[0]
        print(f"| {name} | {median(figures):.2f} | {p95:.2f} | {figures[-1]:.2f} |")
    print(f"cores: {(looks[2].cpu - looks[1].cpu) / 3:.2f}; CPU of all of it: {looks[-1].cpu - looks[0].cpu:.1f} s")
    print("| | before | while all are written | after |\n|---|---|---|---|")
    print(f"| threads | {looks[0].threads} | {looks[1].threads} | {looks[-1].threads} |")
    print(f"| memory, MB | {looks[0].memory:.0f} | {looks[1].memory:.0f} | {looks[-1].memory:.0f} |")
    print(f"| open files | {looks[0].files} | {looks[1].files} | {looks[-1].files} |")


if __name__ == "__main__":
    main()

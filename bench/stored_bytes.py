"""How much a chat takes on disk for each byte of its text, and how long its turns take to record.

    python -m bench.stored_bytes [--turns 100 300]

Each turn is a question of 200 bytes and an answer of 1,400; each call sends the whole conversation so far.
"""

import argparse
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from lib.calls import records
from lib.chat import repository as chats
from lib.core.parameters import Params
from lib.core.reply import Delta, Reply, Usage
from lib.core.request import Call, ChatRequest, Message
from lib.store.database import Store

OWNER, SESSION = "local", "5" * 32
STEMS = ("alter", "bright", "calm", "deep", "even", "far")
WORDS = [f"{stem}{end}" for stem in STEMS for end in ("", "ly", "ing", "ed")]


def prose(luck: random.Random, size: int) -> str:
    """`size` bytes of words that are never the same twice."""
    return " ".join(luck.choice(WORDS) for _ in range(size // 4))[:size]


def turn(db: Connection, chat: str, parent: str | None, history: list[Message], question: str, answer: str) -> str:
    """Record a question and its answer as the Chat page does; the id of the answer."""
    asked = chats.add_message(db, OWNER, chat, parent, "user", question)
    history.append(Message(role="user", content=question))
    request = ChatRequest("gpt-4o", tuple(history), Params(temperature=0.7, stream=True))
    call = Call(f"{random.getrandbits(128):032x}", OWNER, SESSION, "chat", "apiyi", request)
    records.start_call(db, call, "f" * 32)
    [answered] = chats.add_answers(db, OWNER, chat, asked, call.id, 1)
    reply = Reply()
    reply.model, reply.request_id = "gpt-4o-2024-08-06", "req_0123456789abcdef0123456789abcdef"
    reply.usage = Usage(1000, 300, 0, 0, "reported")
    reply.add(Delta(text=answer, finish_reason="stop"))
    finish(db, call.id, reply)
    history.append(Message(role="assistant", content=answer))
    return answered


def finish(db: Connection, call_id: str, reply: Reply) -> None:
    """Record the end of a call."""
    reply.state, reply.seconds, reply.first_token_seconds, reply.cost = "ok", 1.5, 0.3, 0.0055
    records.finish_call(db, call_id, reply)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a chat takes: bytes of its text, of the file, of a file without it; `slowest` is a turn, in seconds."""

    text: int
    size: int
    empty: int
    slowest: float


def measure(folder: Path, turns: int) -> Stored:
    """Write a chat of so many turns into a new database."""
    luck, file = random.Random(turns), folder / f"{turns}.db"
    Store.open(f"sqlite:///{file}").close()
    empty = file.stat().st_size
    store = Store.open(f"sqlite:///{file}")
    chat = store.write(lambda db: chats.new_chat(db, OWNER, "A chat")).result()
    parent, history, text, slowest = None, list[Message](), 0, 0.0
    for _ in range(turns):
        question, answer = prose(luck, 200), prose(luck, 1400)
        text += len(question) + len(answer)
        began = time.perf_counter()
        parent = store.write(lambda db, at=parent, q=question, a=answer: turn(db, chat, at, history, q, a)).result()  # type: ignore[misc]
        slowest = max(slowest, time.perf_counter() - began)
    store.close()
    return Stored(text, file.stat().st_size, empty, slowest)


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Measure what chats take on disk.")
    options.add_argument("--turns", type=int, nargs="+", default=[100, 300])
    with tempfile.TemporaryDirectory() as folder:
        print("| turns | bytes of text | bytes on disk | times | without an empty file | slowest turn, ms |")
        print("|---" * 6 + "|")
        for turns in options.parse_args().turns:
            found = measure(Path(folder), turns)
            times, without = found.size / found.text, (found.size - found.empty) / found.text
            figures = f"{found.text:,} | {found.size:,} | {times:.2f} | {without:.2f} | {1000 * found.slowest:.0f}"
            print(f"| {turns} | {figures} |", flush=True)


if __name__ == "__main__":
    main()

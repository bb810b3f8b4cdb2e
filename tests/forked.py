"""Programs in processes of their own that need not load the app.

One process for each of pytest's workers loads it once, and forks for each program: Python's own fork server. That saves
two of the three seconds of processor time that a start takes. When it forks it has modules and nothing else: no thread
of ours runs, no store is open, no setting was read.
"""

import os
import runpy
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

from lib.store import process_lock

ROOT = Path(__file__).parents[1]


class Forked:
    """A Python program in a process of its own, with those methods of `subprocess.Popen` that tests use."""

    def __init__(
        self, program: str, arguments: Sequence[str], environment: Mapping[str, str], files: Mapping[int, int]
    ) -> None:
        """Run the file `program` with these files: its own number of each, and ours."""
        server = get_context("forkserver")
        server.set_forkserver_preload([__name__, "tests.loaded_app"])
        # A connection is what can be handed on to another process, whatever is behind it.
        handed = {number: Connection(os.dup(file)) for number, file in files.items()}
        with chdir(ROOT), _no_main_module():
            self._process = server.Process(target=_run, args=(program, arguments, dict(environment), handed))
            self._process.start()
        for connection in handed.values():
            connection.close()
        assert self._process.pid
        self.pid = self._process.pid

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()

    def poll(self) -> int | None:
        """The code that it ended with; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """The code that it ended with, when it has; raises subprocess.TimeoutExpired."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self._process.name), seconds or 0)
        return self._process.exitcode


class ForkedInPipes(Forked):
    """The same, with `stdin` and `stdout` to write and to read as text."""

    def __init__(self, program: str, *arguments: str) -> None:
        (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()
        super().__init__(program, arguments, os.environ, {0: its_in, 1: its_out})
        os.close(its_in)
        os.close(its_out)
        self.stdin, self.stdout = os.fdopen(our_out, "w"), os.fdopen(our_in)

    def rest(self) -> str:
        """What it still says when its stdin has ended, until it ends itself."""
        self.stdin.close()
        with self.stdout:
            said = self.stdout.read()
        self.wait()
        return said


@contextmanager
def _no_main_module() -> Iterator[None]:
    """AppTest leaves its page as `__main__`, which Python would run in the new process before anything else: with no
    settings yet, so that the program would find an app open that is not its own."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _run(
    program: str, arguments: Sequence[str], environment: Mapping[str, str], files: Mapping[int, Connection]
) -> None:
    """Become the program: what it finds is as in a new interpreter, but for the modules."""
    os.environ.clear()
    os.environ.update(environment)
    for number, connection in files.items():
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.stdin = os.fdopen(0, closefd=False)
    # The number is the process's own, and was made when the module was loaded.
    process_lock.ID = secrets.token_hex(16)
    sys.argv = [program, *arguments]
    sys.path.insert(0, str(ROOT))
    runpy.run_path(program, run_name="__main__")

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
from collections.abc import Mapping, Sequence
from contextlib import chdir
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from lib.store import process_lock

ROOT = Path(__file__).parents[1]


class Forked:
    """A Python program in a process of its own, with those methods of `subprocess.Popen` that tests use."""

    def __init__(self, program: str, arguments: Sequence[str], environment: Mapping[str, str], output: int) -> None:
        server = get_context("forkserver")
        server.set_forkserver_preload([__name__, "tests.loaded_app"])
        # A connection is what can be handed on to another process, whatever is behind it.
        with Connection(os.dup(output), readable=False) as writer, chdir(ROOT):
            self._process = server.Process(target=_run, args=(program, arguments, dict(environment), writer))
            self._process.start()
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


def _run(program: str, arguments: Sequence[str], environment: Mapping[str, str], writer: Connection) -> None:
    """Become the program: what it finds is as in a new interpreter, but for the modules."""
    os.environ.clear()
    os.environ.update(environment)
    for number in (1, 2):  # stdout and stderr
        os.dup2(writer.fileno(), number)
    writer.close()
    # The number is the process's own, and was made when the module was loaded.
    process_lock.ID = secrets.token_hex(16)
    sys.argv = [program, *arguments]
    sys.path.insert(0, str((ROOT / program).parent))
    runpy.run_path(program, run_name="__main__")

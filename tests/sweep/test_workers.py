"""Sweeps on several processes: each cell once, whoever dies; every process can look on and stop them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest
from pydantic import SecretStr

from lib.calls.caps import Caps
from lib.core.budget import CALLS, Budget
from lib.core.limits import Cap
from lib.services import Services
from lib.settings import Settings
from lib.sweep.plan import Plan
from lib.sweep.progress import Progress
from tests.fake_api import FakeApi
from tests.forked import Forked
from tests.pages import KEY, bodies, host
from tests.postgresql import new_database, server_url

WORKER = "tests/quick_worker.py"


@pytest.fixture
def database(pytestconfig: pytest.Config, started_on_postgresql: str) -> Iterator[str]:
    with new_database(server_url(pytestconfig), like=started_on_postgresql) as made:
        yield made


@contextmanager
def app(api: FakeApi, database: str, folder: Path, **facts: object) -> Iterator[Services]:
    """An app's process, as far as sweeps go: this one."""
    settings = {"base_url": api.base_url, "api_key": SecretStr(KEY), "local_model": False}
    services = Services.open(Settings(data_dir=folder, database_url=SecretStr(database), **settings, **facts))
    yield services
    services.close()


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = monotonic() + seconds
    while not what():
        assert monotonic() < end, "waited in vain"
        sleep(0.05)  # only paces the asking


def standing(services: Services, sweep_id: str) -> Progress:
    return services.sweeps.progress.of("ann", sweep_id)


def test_an_app_without_workers_runs_its_sweeps_itself(api: FakeApi, database: str, tmp_path: Path) -> None:
    with app(api, database, tmp_path) as services:
        plan = Plan("tea", (f"{host(api)}/echo", f"{host(api)}/json"), (0.0, 0.7), repeats=3)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        assert services.sweeps.is_running("ann", sweep_id) and services.sweeps.any_running("ann")
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert standing(services, sweep_id).counts() == (12, 0, 12) and len(bodies(api)) == 12


def test_what_is_limited_is_sent_by_one_process_which_counts_it(api: FakeApi, database: str, tmp_path: Path) -> None:
    """A sweep's own cap, a visitor's budget, the operator's caps; the others go to whoever works."""
    plan = Plan("tea", (f"{host(api)}/echo",), (0.0,))
    with app(api, database, tmp_path) as services:
        budgets = services.dispatcher.budgets
        for name, asked, own, caps, alone in [
            ("nothing", plan, (), (), False),
            ("its cap", replace(plan, cap=1.0), (), (), True),
            ("a budget", plan, (Budget("day", 5.0),), (), True),
            ("the operator's caps", plan, (), (Cap("all", "day", CALLS, 50),), True),
        ]:
            budgets.set("ann", own)
            budgets.caps = Caps(services.store, caps)
            sweep_id = services.sweeps.launch("ann", "s1", asked)
            assert (services.sweeps.running(sweep_id) is not None) == alone, name
            until(lambda id=sweep_id: not services.sweeps.is_running("ann", id))
            assert standing(services, sweep_id).counts() == (1, 0, 1), name


@contextmanager
def worker(api: FakeApi, database: str, folder: Path, slots: int) -> Iterator[Forked]:
    """A worker as a process of its own; ended afterwards unless it was killed."""
    settings = {
        "TEMPERA_DATABASE_URL": database,
        "TEMPERA_BASE_URL": api.base_url,
        "TEMPERA_API_KEY": KEY,
        "TEMPERA_DATA_DIR": str(folder),
        "TEMPERA_WORKER_SLOTS": str(slots),
        "TEMPERA_DRAIN_SECONDS": "0",
    }
    said = folder.parent / f"{folder.name}.log"
    with said.open("wb") as log:
        process = Forked(WORKER, [], {**os.environ, **settings}, {1: log.fileno(), 2: log.fileno()})
    until(lambda: b"Working on sweeps" in said.read_bytes())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def asked(api: FakeApi) -> list[float]:
    """When each request came."""
    return [one.arrived for one in api.requests if one.path.endswith("/completions")]


def test_of_two_workers_one_is_killed_and_the_sweep_goes_on(api: FakeApi, database: str, tmp_path: Path) -> None:
    """Watched from an app that runs nothing itself; what the dead one had begun is marked, and asked for once more by
    whoever presses Resume."""
    with (
        worker(api, database, tmp_path / "one", 4) as one,
        worker(api, database, tmp_path / "two", 4),
        app(api, database, tmp_path / "app") as services,
    ):
        plan = Plan("tea", (f"{host(api)}/slow-20",), (0.0, 0.7), repeats=20, concurrency=8)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        until(lambda: len(asked(api)) >= 16)
        assert services.sweeps.running(sweep_id) is None, "the app runs it itself"
        one.kill()
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        cut = [call for call in standing(services, sweep_id).results.values() if call.state == "interrupted"]
        assert 1 <= len(cut) <= 4 and standing(services, sweep_id).may_be_billed_twice == len(cut)
        services.sweeps.resume("ann", "s1", sweep_id)
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert standing(services, sweep_id).counts() == (40, 0, 40)
        assert len(asked(api)) == 40 + len(cut), "a finished cell was asked again"

"""Sweeps on several processes: each cell once, whoever dies; every process can look on and stop them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, select

from lib.calls import reservations
from lib.core.budget import DOLLARS, Budget, Use
from lib.core.clock import now
from lib.core.errors import BudgetReached, CapReached, NotConnected, StoreError
from lib.core.parameters import Params
from lib.core.prices import Price
from lib.gateway.endpoint_registry import typed_endpoint
from lib.services import Services
from lib.settings import Settings
from lib.store.schema import calls
from lib.sweep import judge, learned_rates, shared_runs
from lib.sweep.plan import Plan
from lib.sweep.progress import Progress
from lib.sweep.shares import Shares
from lib.sweep.study import Study, read_study
from lib.visitor import own_budgets, own_prices
from tests.accounts import hash_of
from tests.fake_api import FakeApi
from tests.forked import Forked
from tests.pages import KEY, bodies, host
from tests.postgresql import new_database, own_server, server_url

QUICK, REAL = "tests/quick_worker.py", "scripts/worker.py"


@pytest.fixture
def database(pytestconfig: pytest.Config, started_on_postgresql: str) -> Iterator[str]:
    with new_database(server_url(pytestconfig), like=started_on_postgresql) as made:
        yield made


@contextmanager
def app(api: FakeApi, database: str, folder: Path, **facts: object) -> Iterator[Services]:
    """An app's process, as far as sweeps go: this one."""
    settings = {"base_url": api.base_url, "api_key": SecretStr(KEY), "local_model": False}
    services = Services.open(Settings(data_dir=folder, database_url=SecretStr(database), **settings, **facts))
    try:
        yield services
    finally:
        services.close()


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = monotonic() + seconds
    while not what():
        assert monotonic() < end, "waited in vain"
        sleep(0.05)  # only paces the asking


def standing(services: Services, sweep_id: str, owner: str = "ann") -> Progress:
    return services.sweeps.progress.of(owner, sweep_id)


def test_an_app_without_workers_runs_its_sweeps_itself(api: FakeApi, database: str, tmp_path: Path) -> None:
    with app(api, database, tmp_path) as services:
        plan = Plan("tea", (f"{host(api)}/echo", f"{host(api)}/json"), (0.0, 0.7), repeats=3)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        assert services.sweeps.is_running("ann", sweep_id) and services.sweeps.under_way("ann")
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert standing(services, sweep_id).counts() == (12, 0, 12) and len(bodies(api)) == 12


@contextmanager
def worker(
    api: FakeApi, database: str, folder: Path, slots: int, program: str = QUICK, **further: str
) -> Iterator[Forked]:
    """A worker as a process of its own; ended afterwards unless it was killed."""
    settings = {
        "TEMPERA_DATABASE_URL": database,
        "TEMPERA_BASE_URL": api.base_url,
        "TEMPERA_API_KEY": KEY,
        "TEMPERA_DATA_DIR": str(folder),
        "TEMPERA_WORKER_SLOTS": str(slots),
        "TEMPERA_DRAIN_SECONDS": "0",
    }
    settings |= further
    said = folder.parent / f"{folder.name}.log"
    with said.open("wb") as log:
        process = Forked(program, [], {**os.environ, **settings}, {1: log.fileno(), 2: log.fileno()})
    until(lambda: b"Working on sweeps" in said.read_bytes())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@dataclass(frozen=True)
class Together:
    """An app's process, two workers that have its sweeps, and the service that they all ask."""

    api: FakeApi
    services: Services


@pytest.fixture(scope="module")
def started(
    pytestconfig: pytest.Config, started_on_postgresql: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Together]:
    folder = tmp_path_factory.mktemp("together")
    with (
        FakeApi() as api,
        new_database(server_url(pytestconfig), like=started_on_postgresql) as database,
        worker(api, database, folder / "one", 4),
        worker(api, database, folder / "two", 4),
        app(api, database, folder / "app") as services,
    ):
        yield Together(api, services)


@pytest.fixture
def together(started: Together) -> Together:
    """The same for several tests, each with visitors of its own; the service has not been asked yet."""
    started.api.requests.clear()
    return started


def asked(api: FakeApi) -> list[float]:
    """When each request came."""
    return [one.arrived for one in api.requests if one.path.endswith("/completions")]


def test_of_two_workers_one_is_killed_and_the_sweep_goes_on(api: FakeApi, database: str, tmp_path: Path) -> None:
    """Watched from an app that runs nothing itself. All places were the dead one's; what it had begun is marked, and
    asked for once more by whoever presses Resume."""
    with ExitStack() as others:
        one = others.enter_context(worker(api, database, tmp_path / "one", 4))
        services = others.enter_context(app(api, database, tmp_path / "app"))
        plan = Plan("tea", (f"{host(api)}/slow-20",), (0.0, 0.7), repeats=20, concurrency=4)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        until(lambda: len(asked(api)) >= 8)
        assert services.sweeps.running(sweep_id) is None, "the app runs it itself"
        others.enter_context(worker(api, database, tmp_path / "two", 4))
        one.kill()
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        cut = [call for call in standing(services, sweep_id).results.values() if call.state == "interrupted"]
        assert 1 <= len(cut) <= 4 and standing(services, sweep_id).may_be_billed_twice == len(cut)
        services.sweeps.resume("ann", "s1", sweep_id)
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert standing(services, sweep_id).counts() == (40, 0, 40)
        assert len(asked(api)) == 40 + len(cut), "a finished cell was asked again"


@pytest.mark.row("T14")
def test_two_workers_together_pass_no_limit_of_a_sweep_and_no_budget_by_one_call(together: Together) -> None:
    """Of 30 answers ten fit, each worth 0.02 dollars, as they are as long as they may be."""
    api, services = together.api, together.services
    name, store = host(api), services.store
    store.write(lambda db: own_prices.put(db, "ann", name, "long-20", Price(0.0, 1_000.0))).result(20)
    services.know("ann")
    params = Params(max_tokens=20)
    plan = Plan("tea", (f"{name}/long-20",), (0.0, 0.7, 1.0), repeats=10, concurrency=8, params=params, cap=0.21)
    sweep_id = services.sweeps.launch("ann", "s1", plan)
    assert services.sweeps.running(sweep_id) is None, "no worker has it"
    until(lambda: not services.sweeps.is_running("ann", sweep_id))
    assert standing(services, sweep_id).counts() == (10, 0, 30) and len(asked(api)) == 10
    run = services.sweeps.last_run("ann", sweep_id)
    assert run is not None and isinstance(run.trouble, CapReached)

    store.write(lambda db: own_budgets.save(db, "ann", [Budget("day", 0.41)])).result(20)
    services.sweeps.resume("ann", "s1", sweep_id, cap=1.0)
    until(lambda: not services.sweeps.is_running("ann", sweep_id))
    assert standing(services, sweep_id).counts() == (20, 0, 30) and len(asked(api)) == 20
    run = services.sweeps.last_run("ann", sweep_id)
    assert run is not None and isinstance(run.trouble, BudgetReached) and run.trouble.budget.limit == 0.41

    store.write(lambda db: own_budgets.save(db, "ann", [])).result(20)
    services.sweeps.resume("ann", "s1", sweep_id)
    until(lambda: not services.sweeps.is_running("ann", sweep_id))
    assert standing(services, sweep_id).counts() == (30, 0, 30) and len(asked(api)) == 30


@pytest.mark.row("T14")
def test_a_judge_and_another_process_together_pass_no_limit_of_a_sweep(
    api: FakeApi, database: str, tmp_path: Path
) -> None:
    with app(api, database, tmp_path / "app") as services:
        name, store = host(api), services.store
        store.write(lambda db: own_prices.put(db, "ann", name, "long-20", Price(0.0, 1_000.0))).result(20)
        services.know("ann")
        plan = Plan("tea", (f"{name}/long-20",), (0.0,), repeats=2, params=Params(max_tokens=20), cap=0.30)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        until(lambda: not services.sweeps.is_running("ann", sweep_id))

        def read() -> Study:
            study = read_study(store, services.sweeps.progress, "ann", sweep_id)
            assert study is not None
            return study

        def judged(meanwhile: Callable[[], None] = lambda: None) -> judge.JudgeRun:
            """The answers cost 0.04, and a judge's 200 tokens 0.20 at worst. `meanwhile` comes before it asks."""
            before, over = len(asked(api)), threading.Event()
            some = judge.tasks(read(), f"{name}/long-20", "Is it warm?")[:1]
            run = judge.JudgeRun("ann", "s1", sweep_id, f"{name}/long-20", some)
            services.dispatcher.jobs.loop.call_soon_threadsafe(over.wait, 30)
            judge.start(services.dispatcher, services.registry, run)
            meanwhile()
            over.set()
            assert run.wait_until_finished(30)
            assert len(asked(api)) - before == (not isinstance(run.last_error, CapReached))
            return run

        def other(cost: float) -> None:
            """What another process has under way for this sweep."""
            held = {"elsewhere": Use(cost, 20)}
            store.write(lambda db: reservations.put(db, "ann", "s1", held, "another", now(), sweep_id)).result(20)

        assert isinstance(judged(lambda: other(0.10)).last_error, CapReached)
        assert isinstance(judged().last_error, CapReached)
        other(0.05)
        assert judged().last_error is None
        left = store.read(lambda db: reservations.reserved(db, DOLLARS, "ann", sweep_id=sweep_id))
        assert left == pytest.approx(0.05), "its own is settled"

        def spent() -> float:
            """By which all processes measure the sweep's next call."""
            run = services.sweeps.shared_run("ann", sweep_id)
            return -1.0 if run is None else run.spent

        assert spent() == pytest.approx(0.06)
        services.sweeps.rerun("ann", "s1", sweep_id, standing(services, sweep_id).cells[0].id)
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert spent() == pytest.approx(0.08), "the judge's counts on"


@pytest.mark.row("T14")
@pytest.mark.soak
def test_two_workers_together_pass_no_cap_of_the_operator_by_one_call(
    api: FakeApi, database: str, tmp_path: Path
) -> None:
    hash = hash_of("four unrelated words")
    env = {"TEMPERA_MODE": "shared", "TEMPERA_PASSWORD_HASH": hash, "TEMPERA_CAPS__ALL__DAY__CALLS": "10"}
    here = {"mode": "shared", "password_hash": SecretStr(hash), "caps": {"all": {"day": {"calls": 10}}}}
    with (
        worker(api, database, tmp_path / "one", 4, **env),
        worker(api, database, tmp_path / "two", 4, **env),
        app(api, database, tmp_path / "app", **here) as services,
    ):
        plan = Plan("tea", (f"{host(api)}/slow-20",), (0.0, 0.7), repeats=15, concurrency=8)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        until(lambda: not services.sweeps.is_running("ann", sweep_id))
        assert standing(services, sweep_id).counts() == (10, 0, 30) and len(asked(api)) == 10
        run = services.sweeps.last_run("ann", sweep_id)
        assert run is not None and run.trouble is not None and "10 calls a day" in run.trouble.sentence()


def test_each_process_can_stop_a_sweep_that_another_one_runs(together: Together) -> None:
    api, services = together.api, together.services
    plan = Plan("tea", (f"{host(api)}/long-3000", f"{host(api)}/slow-9999"), (0.0,), repeats=8, concurrency=4)
    sweep_id = services.sweeps.launch("cid", "s1", plan)
    until(lambda: len(asked(api)) >= 4)
    services.sweeps.stop("bob", sweep_id)
    assert services.sweeps.is_running("cid", sweep_id) and not services.sweeps.is_running("bob", sweep_id)
    services.sweeps.stop("cid", sweep_id)
    until(lambda: not services.sweeps.is_running("cid", sweep_id))
    assert any(call.state == "cancelled" for call in standing(services, sweep_id, "cid").results.values())
    sent = len(asked(api))
    services.sweeps.resume("cid", "s1", sweep_id)
    until(lambda: len(asked(api)) > sent)
    services.sweeps.delete("cid", sweep_id)
    until(lambda: not services.sweeps.under_way("cid"))


def test_a_sweep_with_a_visitors_own_key_stays_in_the_process_that_has_it(together: Together) -> None:
    api, services = together.api, together.services
    own = typed_endpoint(api.base_url, "sk-own-key-0002")
    name = services.registry.connect("dan", own).name
    plan = Plan("tea", (f"{name}/echo",), (0.0, 0.7))
    sweep_id = services.sweeps.launch("dan", "s1", plan)
    assert services.sweeps.running(sweep_id) is not None
    until(lambda: not services.sweeps.is_running("dan", sweep_id))
    cells = standing(services, sweep_id, "dan").cells
    assert services.sweeps.stays_here("dan", cells) and not services.sweeps.stays_here("bob", cells)
    assert standing(services, sweep_id, "dan").counts() == (2, 0, 2)
    assert {one.authorization for one in api.requests if one.path.endswith("/completions")} == {"…0002"}

    def as_if_for_workers(db: Connection) -> None:
        shared_runs.begin(db, "dan", "s1", sweep_id, False, 0.0, "UTC")
        shared_runs.add(db, "dan", sweep_id, cells, {})

    services.store.write(as_if_for_workers).result(20)
    sweeps, jobs = services.sweeps, services.dispatcher.jobs
    shares = Shares(services.dispatcher, services.registry, sweeps.progress, sweeps.prepare, services.know)
    with pytest.raises(NotConnected):
        jobs.submit(shares.take_part("dan", sweep_id, 20)).result(20)
    assert len(asked(api)) == 2, "it was sent with another key"

    # What a worker found at the end of a run says nothing of one that was begun meanwhile, with another limit.
    run, told = sweeps.shared_run("dan", sweep_id), shared_runs.told(CapReached(cap=1.0, spent=1.0))
    for began_at, left in ((run.began_at - 1, 2), (run.began_at, 0)):
        services.store.write(lambda db, at=began_at: shared_runs.stop_for(db, "dan", sweep_id, at, told)).result(20)
        assert len(services.store.read(lambda db: shared_runs.due(db, "dan", sweep_id))) == left
        assert (sweeps.shared_run("dan", sweep_id).trouble is None) == bool(left)


@pytest.mark.soak
def test_postgresql_is_away_in_the_middle_of_a_sweep_and_nothing_is_lost(api: FakeApi, tmp_path: Path) -> None:
    """For five seconds: what was on its way is kept and saved later, and then the rest is sent."""
    with (
        own_server() as server,
        new_database(server.url) as database,
        worker(api, database, tmp_path / "one", 4, REAL),
        app(api, database, tmp_path / "app") as services,
    ):
        plan = Plan("tea", (f"{host(api)}/slow-50",), (0.0, 0.7), repeats=30, concurrency=4)
        sweep_id = services.sweeps.launch("ann", "s1", plan)
        until(lambda: len(asked(api)) >= 20)
        server.pause()
        sleep(5)  # that long it is away
        before = len(asked(api))
        server.run_on()
        until(lambda: len(asked(api)) > before, 30)

        def over() -> bool:
            try:
                return not services.sweeps.is_running("ann", sweep_id)
            except StoreError:
                return False

        until(over, 90)
        done, failed, _ = standing(services, sweep_id).counts()
        assert (done, failed) == (60, 0) and len(asked(api)) == 60


@pytest.mark.soak
def test_two_workers_together_go_at_the_pace_that_was_learnt_and_not_at_twice_that(together: Together) -> None:
    """A service that takes ten requests a second is asked eight times a second by both together."""
    pace = {"at-most-10": (8.0, 8)}
    api, services = together.api, together.services
    services.store.write(lambda db: learned_rates.save(db, "eve", api.base_url, pace)).result(20)
    plan = Plan("tea", (f"{host(api)}/at-most-10",), (0.0, 0.7), repeats=15, concurrency=16)
    sweep_id = services.sweeps.launch("eve", "s1", plan)
    until(lambda: not services.sweeps.is_running("eve", sweep_id))
    assert standing(services, sweep_id, "eve").counts() == (30, 0, 30)
    by = services.store.read(
        lambda db: db.execute(select(calls.c.process).distinct().where(calls.c.owner == "eve")).scalars().all()
    )
    assert len(by) == 2, "a worker did nothing"
    assert api.refused_as_too_often <= 2, "each went at that pace"


def largest_gap(times: list[float]) -> float:
    return max(later - sooner for sooner, later in pairwise(times))


@pytest.mark.soak
def test_one_app_and_one_worker_of_two_die_and_300_cells_are_done_once(
    api: FakeApi, database: str, tmp_path: Path
) -> None:
    """The app that launched it dies too; another one watches, and resumes what was cut."""
    folder = tmp_path / "launcher"
    arguments = [str(folder), api.base_url, "300"]
    with (
        worker(api, database, tmp_path / "one", 8, REAL) as one,
        worker(api, database, tmp_path / "two", 8, REAL),
        app(api, database, tmp_path / "app") as services,
    ):
        with (tmp_path / "launcher.log").open("wb") as log:
            environment = {**os.environ, "TEMPERA_DATABASE_URL": database}
            launcher = Forked("tests/kill_program.py", arguments, environment, {1: log.fileno(), 2: log.fileno()})
        until(lambda: len(asked(api)) >= 60)
        launcher.kill()
        one.kill()
        [sweep] = services.sweeps.listed("ann")
        seen = [monotonic()]
        done = 0

        def over() -> bool:
            nonlocal done
            now_done = standing(services, sweep.id).counts()[0]
            if now_done > done:
                done = now_done
                seen.append(monotonic())
            return not services.sweeps.is_running("ann", sweep.id)

        until(over, 240)
        cut = standing(services, sweep.id).may_be_billed_twice
        services.sweeps.resume("ann", "s", sweep.id)
        until(over, 120)
        assert standing(services, sweep.id).counts() == (300, 0, 300)
        print(f"{len(asked(api))} requests, {cut} cut, longest without progress {largest_gap(seen):.1f} s")
        assert len(asked(api)) == 300 + cut and cut <= 8 and largest_gap(seen) < 30

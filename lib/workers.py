"""Sweeps on as many processes and machines as there are: with PostgreSQL, by the job queue procrastinate.

Each parallel slot of a sweep is a job. procrastinate hands the jobs to its workers and knows by their heartbeats which
of them live; a periodic job gives the slots of dead ones to others. A process of the app works itself
as long as no other worker lives. All of it runs on the background loop.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import version

import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker
from sqlalchemy import Connection, text

from lib.background import Jobs
from lib.core.errors import StoreError, TemperaError
from lib.store import engines
from lib.store.database import Store
from lib.sweep import shared_runs
from lib.sweep.shares import Shares

BEAT_SECONDS, STALLED_SECONDS = 5.0, 15.0
"""A worker says so often that it lives; one that was silent for so long is dead."""
LOOK_SECONDS = 1.0
TURN_SECONDS = 30.0
"""After so long a slot is left to other sweeps, where some wait."""
SLOTS, CARE = "lanes", "care"
"""The queues, as they are called in the database."""
EVERY_FIVE_SECONDS = "* * * * * */5"
log = logging.getLogger(__name__)


def can_be_used() -> bool:
    """Whether procrastinate runs here: psycopg's coroutines need another event loop than that of Windows."""
    return sys.platform != "win32"


class Workers:
    """This process among those that run sweeps. `dedicated` is one that does nothing else; it has so many `slots` at
    once."""

    def __init__(
        self,
        url: str,
        store: Store,
        jobs: Jobs,
        shares: Shares,
        see_to_the_past: Callable[[], None],
        slots: int,
        dedicated: bool,
        visitor_concurrency: int | None,
    ) -> None:
        """`see_to_the_past` closes what dead processes left; of one visitor `visitor_concurrency` calls may run."""
        self._store, self._jobs, self._shares = store, jobs, shares
        self._see_to_the_past, self._visitor_concurrency = see_to_the_past, visitor_concurrency
        self._slots, self._dedicated = slots, dedicated
        # Tables of its own for each version of procrastinate: what they hold is under way, and need not be migrated.
        self._schema = "tempera_jobs_" + version("procrastinate").replace(".", "_")
        conninfo = engines.database_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        options = f"-c search_path={self._schema} -c statement_timeout=30000"
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo,
            kwargs={"options": options, "connect_timeout": 5, "tcp_user_timeout": 15_000},
            min_size=1,
            max_size=4,
            timeout=5,
        )
        self._app = procrastinate.App(connector=connector)
        self._slot = self._app.task(name="lane", queue=SLOTS)(self._fill_slot)
        care = self._app.task(name="care", queue=CARE, pass_context=False)(self._take_care)
        self._app.periodic(cron=EVERY_FIVE_SECONDS)(care)
        self._working: list[Worker] = []
        self._open = self._ending = False
        self._look_now = asyncio.Event()

    def start(self) -> None:
        """Make the tables where there are none, and take part from now on. Raises StoreError."""
        self._store.write(self._install).result()
        self._running = self._jobs.submit(self._go_on())

    def close(self, seconds: float) -> None:
        """Take no further slot, and let go of the database; at most so long for those that run."""
        self._jobs.loop.call_soon_threadsafe(self._end)
        with suppress(TimeoutError):
            self._running.result(seconds)

    def call(self, owner: str, sweep_id: str, slots: int) -> None:
        """Have so many slots of a sweep filled, from any thread. That they can't be asked for now is made good by
        whoever looks after the sweeps."""
        self._jobs.submit(self._defer(owner, sweep_id, slots))

    def _install(self, db: Connection) -> None:
        if db.execute(text("SELECT to_regclass(:name)"), {"name": f"{self._schema}.procrastinate_jobs"}).scalar():
            return
        db.execute(text(f"CREATE SCHEMA IF NOT EXISTS {self._schema}"))
        db.execute(text(f"SET LOCAL search_path = {self._schema}"))
        # The driver's own: many statements in one text, percent signs among them.
        driver = db.connection.driver_connection
        assert driver is not None
        driver.execute(SchemaManager.get_schema())
        db.execute(text("SET LOCAL search_path = DEFAULT"))

    async def _go_on(self) -> None:
        """Work, or watch whether to work, until the end; again from the beginning where the database was away."""
        while not self._ending:
            try:
                async with self._app.open_async():
                    self._open = True
                    await self._work_or_watch()
            except (exceptions.ProcrastinateException, psycopg.Error, OSError) as away:
                log.warning("the job queue can't be reached: %s", type(away).__name__)
            finally:
                self._open = False
            if not self._ending:
                await asyncio.sleep(LOOK_SECONDS)

    async def _work_or_watch(self) -> None:
        while not self._ending:
            if self._dedicated or not await self._others_live():
                await self._work()
                return
            self._look_now.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), LOOK_SECONDS)

    async def _work(self) -> None:
        """Be a worker until something ends that: the end of the process, the loss of the database, or for the app
        another worker."""
        for_slots = self._worker(SLOTS, self._slots, listen=True)
        # Beside it, as sweeps may keep all slots for long.
        for_care = self._worker(CARE, 1, listen=False)
        self._working = [for_slots, for_care]
        tasks = [asyncio.ensure_future(one.run()) for one in self._working]  # type: ignore[no-untyped-call]
        if not self._dedicated:
            tasks.append(asyncio.ensure_future(self._give_way()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop_working()
            for task in tasks[2:]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._working = []

    def _worker(self, queue: str, concurrency: int, listen: bool) -> Worker:
        return Worker(
            self._app,
            queues=[queue],
            concurrency=concurrency,
            listen_notify=listen,
            fetch_job_polling_interval=LOOK_SECONDS,
            shutdown_graceful_timeout=0,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=4 * STALLED_SECONDS,
        )

    def _end(self) -> None:
        self._ending = True
        self._look_now.set()
        self._stop_working()

    def _stop_working(self) -> None:
        for one in self._working:
            one.stop()  # type: ignore[no-untyped-call]

    async def _others_live(self, newer: bool = False) -> bool:
        """Whether another worker lives; with `newer` one that came after this process's own."""
        own = [one.worker_id for one in self._working if one.worker_id is not None]
        found = await self._app.connector.execute_query_one_async(
            "SELECT count(*) AS living FROM procrastinate_workers "
            "WHERE last_heartbeat > now() - make_interval(secs => %(seconds)s) "
            "AND id <> ALL(%(own)s) AND id > %(after)s",
            seconds=STALLED_SECONDS,
            own=own,
            after=max(own, default=0) if newer else 0,
        )
        return bool(found["living"])

    async def _give_way(self) -> None:
        """End when a worker has come after this one: of several apps that work one stays, and none beside a worker."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if len([one for one in self._working if one.worker_id is not None]) == 2 and await self._others_live(True):
                return

    async def _defer(self, owner: str, sweep_id: str, slots: int) -> None:
        self._look_now.set()
        if not self._open:
            return
        try:
            for _ in range(slots):
                await self._slot.defer_async(owner=owner, sweep_id=sweep_id)
        except (exceptions.ProcrastinateException, psycopg.Error, OSError) as away:
            log.warning("workers can't be asked for now: %s", type(away).__name__)

    async def _fill_slot(self, owner: str, sweep_id: str) -> None:
        """Be one slot of a sweep, until nothing of it is left."""
        try:
            while not await self._shares.take_part(owner, sweep_id, TURN_SECONDS):
                if await self._app.job_manager.list_jobs_async(queue=SLOTS, status=Status.TODO.value):
                    await self._slot.defer_async(owner=owner, sweep_id=sweep_id)
                    return
        except TemperaError as refused:
            # Whoever looks after the sweeps finds its cells due, and another worker may have what it needs.
            log.error("sweep %s can't be worked on here: %s", sweep_id, refused)

    async def _take_care(self, timestamp: int) -> None:
        """Give the slots of dead workers to others, close what dead processes left, and see that every sweep under
        way has its slots."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(queue=SLOTS, seconds_since_heartbeat=STALLED_SECONDS):
            with suppress(exceptions.ConnectorException):  # it ended at this moment
                await manager.retry_job(job)
        for job in await manager.get_stalled_jobs(queue=CARE, seconds_since_heartbeat=STALLED_SECONDS):
            await manager.finish_job_by_id_async(job_id=job.id or 0, status=Status.FAILED, delete_job=True)
        await manager.prune_stalled_workers(4 * STALLED_SECONDS)
        with suppress(StoreError):
            await asyncio.to_thread(self._see_to_the_past)
            await self._top_up()

    async def _top_up(self) -> None:
        under_way = await asyncio.to_thread(self._store.read, shared_runs.everybodys)
        there: dict[str, int] = {}
        for job in await self._app.job_manager.list_jobs_async(queue=SLOTS):
            if job.status in (Status.TODO.value, Status.DOING.value):
                sweep_id = str(job.task_kwargs["sweep_id"])
                there[sweep_id] = there.get(sweep_id, 0) + 1
        for owner, sweep_id, due, concurrency in under_way:
            missing = min(concurrency, due, self._visitor_concurrency or due) - there.get(sweep_id, 0)
            if missing > 0:
                await self._defer(owner, sweep_id, missing)
            if not due:
                await self._store.submit(partial(shared_runs.end_if_done, owner=owner, sweep_id=sweep_id))

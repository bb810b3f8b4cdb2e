"""Chooses the next cell of a sweep, limits how many run at once, and records each call."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from lib.background import Job
from lib.calls import records, unsupported_params
from lib.calls.dispatcher import Dispatcher
from lib.calls.runner import Answer
from lib.core import prices
from lib.core.errors import NotConnected, NothingConnected, StoreError, StoreFull, TemperaError, unforeseen
from lib.core.request import Call
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan, unique
from lib.sweep.progress import ProgressReader


class SweepRun(Job):
    """A sweep that runs, as the page sees it; its id is the sweep's."""

    def __init__(self, sweep_id: str, owner: str, session: str, plan: Plan, cells: Sequence[Cell]) -> None:
        super().__init__(sweep_id)
        self.owner, self.session, self.plan = owner, session, plan
        self.queue = slowest_first(cells)
        self.total = len(cells)
        self.answers: dict[str, Answer] = {}
        """Running and ended answers of this run, by cell id."""
        self.failed: dict[str, TemperaError] = {}
        """The cells that could not be sent for a reason nobody foresaw, by id."""

    @property
    def size(self) -> int:
        return 10_000 + 500 * len(self.failed)

    def release(self) -> None:
        """The answers are in the store, or held."""
        self.answers, self.queue = {}, []

    def stop_cell(self, cell_id: str) -> None:
        """End one running answer; its text so far is kept."""
        answer = self.answers.get(cell_id)
        if answer is not None:
            answer.cancel()


def slowest_first(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, those of the dearest models first: they tend to be the slowest, and a sweep that begins with
    the slowest ends sooner."""
    dearness = {cell.model: (prices.list_price(cell.model.partition("/")[2]) or (0.0, 0.0))[1] for cell in cells}
    return sorted(cells, key=lambda cell: -dearness[cell.model])


class Slot:
    """One of the places of a sweep, which has as many as calls run at once. While a call waits to be tried again,
    another call has its place."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._taken = False

    async def take(self) -> None:
        """Wait for a place."""
        await self._slots.acquire()
        self._taken = True

    def give_back(self) -> None:
        """Let another call have it."""
        if self._taken:
            self._taken = False
            self._slots.release()

    async def sleep(self, seconds: float) -> None:
        """Wait without the place, then for a place again."""
        self.give_back()
        # A place kept by a call that only waits would be idle while others could be answered.
        await asyncio.sleep(seconds)
        await self.take()


class SweepScheduler:
    """Stores plans and runs them. One per process; pages look at what runs through `running`."""

    def __init__(self, dispatcher: Dispatcher, registry: EndpointRegistry) -> None:
        self._dispatcher, self._registry = dispatcher, registry
        self.progress = ProgressReader(dispatcher.store, dispatcher.outcomes)

    def launch(self, owner: str, session: str, plan: Plan) -> str:
        """Store a plan with all its cells, then begin to send them; the sweep's id. Raises InvalidInput when it
        can't be run, NothingConnected when there is no service to ask."""
        connected = self._registry.endpoints(owner)
        if not connected:
            raise NothingConnected
        plan = replace(plan.checked(), models=unique([endpoints.named(model, connected) for model in plan.models]))
        sweep_id, store = secrets.token_hex(16), self._dispatcher.store
        # Named here and not in the writing thread, which others wait for.
        cells = list(plan.cells(sweep_id))
        store.write(lambda db: sweeps.add_plan(db, owner, session, sweep_id, plan)).result()
        self._write_cells(owner, sweep_id, cells)
        self.start(SweepRun(sweep_id, owner, session, plan, cells))
        return sweep_id

    def finish_planning(self) -> None:
        """Write the cells of the sweeps whose planning was cut by the end of a process; nothing is sent."""
        for owner, sweep_id in self._dispatcher.store.read(sweeps.half_planned):
            self._finish_planning(owner, sweep_id)

    def _finish_planning(self, owner: str, sweep_id: str) -> None:
        plan = self._dispatcher.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        if plan is not None:
            self._write_cells(owner, sweep_id, list(plan.cells(sweep_id)))

    def _write_cells(self, owner: str, sweep_id: str, cells: Sequence[Cell]) -> None:
        for piece in sweeps.in_pieces(cells):
            # One after the other, so that those of other people go in between.
            self._dispatcher.store.write(partial(sweeps.add_cells, owner=owner, sweep_id=sweep_id, some=piece)).result()

    def resume(self, owner: str, session: str, sweep_id: str) -> None:
        """Send the cells of a sweep that are not done; nothing happens while it runs. Raises NotConnected when one of
        their services is gone: they go nowhere else."""
        store = self._dispatcher.store
        plan = store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        progress = self.progress.of(owner, sweep_id)
        if plan is not None and len(progress.cells) < plan.size:
            self._finish_planning(owner, sweep_id)
            progress = self.progress.of(owner, sweep_id)
        left = progress.left
        absent = {cell.model.partition("/")[0] for cell in left} - {one.name for one in self._registry.endpoints(owner)}
        if absent:
            raise NotConnected(service=min(absent))
        if plan is not None and left and self.running(sweep_id) is None:
            self.start(SweepRun(sweep_id, owner, session, plan, left))

    def start(self, sweep: SweepRun) -> None:
        """Begin to send the cells of `sweep`."""
        self._dispatcher.jobs.start(sweep, self._run(sweep))

    def running(self, sweep_id: str | None) -> SweepRun | None:
        """The run of a sweep, if it is under way in this process."""
        job = self._dispatcher.jobs.get(sweep_id) if sweep_id else None
        return job if isinstance(job, SweepRun) and not job.finished else None

    def last_run(self, owner: str, sweep_id: str) -> SweepRun | None:
        """The newest run of an owner's sweep in this process, under way or ended; it tells what went wrong beside what
        its calls say."""
        job = self._dispatcher.jobs.get(sweep_id)
        return job if isinstance(job, SweepRun) and job.owner == owner else None

    def delete(self, owner: str, sweep_id: str) -> None:
        """Stop a sweep, take it out of the list, and drop what was still to be saved of it. Raises StoreError."""
        outcomes = self._dispatcher.outcomes
        running = self.running(sweep_id)
        if running is not None and running.owner == owner:
            running.cancel()
        # Before the write: a record that comes to be held in between would be written after it.
        outcomes.forget(owner, sweep_id)
        try:
            self._dispatcher.store.write(lambda db: sweeps.delete(db, owner, sweep_id)).result()
        except StoreError:
            outcomes.remember(owner, sweep_id)
            raise

    async def _run(self, sweep: SweepRun) -> None:
        slots = asyncio.Semaphore(sweep.plan.concurrency)
        tasks: list[asyncio.Task[None]] = []
        try:
            for cell in sweep.queue:
                slot = Slot(slots)
                # Here and not in the task: cells begin in the queue's order, and no task exists before its turn.
                await slot.take()
                if self._dispatcher.outcomes.full:
                    raise StoreFull  # what is sent now would be paid, and lost
                tasks.append(asyncio.create_task(self._answer(sweep, cell, slot)))
            await asyncio.gather(*tasks)
        finally:
            # A task's answer is a job of its own and goes on when the task is cancelled: both are stopped.
            for task in tasks:
                task.cancel()
            for answer in list(sweep.answers.values()):
                answer.cancel()
            # Their outcomes are written before the sweep counts as ended: Resume looks at those.
            await asyncio.gather(*(answer.ended() for answer in list(sweep.answers.values())))

    async def _answer(self, sweep: SweepRun, cell: Cell, slot: Slot) -> None:
        """One cell; whatever goes wrong with it is its own, and the others go on."""
        try:
            await self._call(sweep, cell, slot)
        # Foreseen, so that the log needs no number for it: the service was disconnected meanwhile.
        except NotConnected as gone:
            sweep.failed[cell.id] = gone
        except Exception as bug:
            sweep.failed[cell.id] = unforeseen(bug, f"cell {cell.id}")
        finally:
            slot.give_back()
            sweep.touch()

    async def _call(self, sweep: SweepRun, cell: Cell, slot: Slot) -> None:
        connected = self._registry.endpoints(sweep.owner)
        # Asked at the last moment: a prompt goes to the service that it was planned for, or nowhere.
        if cell.model.partition("/")[0] not in {one.name for one in connected}:
            raise NotConnected(service=cell.model.partition("/")[0])
        endpoint, model = endpoints.find(cell.model, connected)
        asked = sweep.plan.request(model, cell.temperature, cell.input, cell.variant)
        id = secrets.token_hex(16)
        call = Call(id, sweep.owner, sweep.session, "sweep", endpoint.name, asked, cell.id, sweep_id=sweep.id)

        def record(db: Connection) -> Call:
            request = unsupported_params.adapted(db, sweep.owner, endpoint.base_url, asked)
            adapted = replace(call, request=request)
            records.start_call(db, adapted, self._dispatcher.process)
            return adapted

        started = True
        try:
            call = await self._dispatcher.store.submit(record)
        except StoreError:
            started = False  # it is asked all the same; its record is held until the store takes it
        answer = await self._dispatcher.begin(call, endpoint, slot.sleep, sweep.id, started)
        sweep.answers[cell.id] = answer
        sweep.touch()
        await answer.ended()

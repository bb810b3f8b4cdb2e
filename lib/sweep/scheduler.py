"""Runs a plan: so many calls at a time, each recorded as it starts and as it ends, until every cell is done."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from lib.background import Job
from lib.calls import records, unsupported_params
from lib.calls.dispatcher import Dispatcher
from lib.calls.runner import Answer
from lib.core import prices
from lib.core.contract import Call
from lib.core.errors import InvalidInput, NotConnected
from lib.core.i18n import N_
from lib.gateway import endpoints
from lib.gateway.registry import EndpointRegistry
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan, unique


class SweepRun(Job):
    """A sweep that runs, as the page sees it; its id is the sweep's."""

    def __init__(self, sweep_id: str, owner: str, session: str, plan: Plan, cells: Sequence[Cell]) -> None:
        super().__init__(sweep_id)
        self.owner, self.session, self.plan = owner, session, plan
        self.queue = slowest_first(cells)
        self.total = len(cells)
        self.answers: dict[str, Answer] = {}
        """Running and ended answers of this run, by cell id."""

    def stop_cell(self, cell_id: str) -> None:
        """End one running answer; its text so far is kept."""
        answer = self.answers.get(cell_id)
        if answer is not None:
            answer.cancel()


def slowest_first(cells: Sequence[Cell]) -> list[Cell]:
    """The cells in the order that ends soonest: dear models are the slow ones, so they begin."""
    dearness = {cell.model: (prices.list_price(cell.model.partition("/")[2]) or (0.0, 0.0))[1] for cell in cells}
    return sorted(cells, key=lambda cell: -dearness[cell.model])


class Slot:
    """One of a sweep's places to send from. While a call waits to be tried again, another one has its place."""

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
        await asyncio.sleep(seconds)
        await self.take()


class SweepScheduler:
    """Stores plans and runs them. One per process; pages look at what runs through `running`."""

    def __init__(self, dispatcher: Dispatcher, registry: EndpointRegistry) -> None:
        self._dispatcher, self._registry = dispatcher, registry

    def launch(self, owner: str, session: str, plan: Plan) -> str:
        """Store a plan with all its cells, then begin to send them; the sweep's id. Raises InvalidInput when there is
        no service to ask."""
        connected = self._registry.endpoints(owner)
        if not connected:
            raise InvalidInput(N_("No service is connected yet."))
        plan = replace(plan, models=unique([endpoints.named(model, connected) for model in plan.models]))
        sweep_id = self._dispatcher.store.write(lambda db: sweeps.new_sweep(db, owner, session, plan)).result()
        self.resume(owner, session, sweep_id)
        return sweep_id

    def resume(self, owner: str, session: str, sweep_id: str) -> None:
        """Send the cells of a sweep that are not done; nothing happens while it runs. Raises NotConnected when one of
        their services is gone: they go nowhere else."""
        store = self._dispatcher.store
        plan = store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        left = store.read(lambda db: sweeps.to_do(db, owner, sweep_id)).cells
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

    async def _run(self, sweep: SweepRun) -> None:
        slots = asyncio.Semaphore(sweep.plan.concurrency)
        tasks: list[asyncio.Task[None]] = []
        try:
            for cell in sweep.queue:
                slot = Slot(slots)
                await slot.take()
                tasks.append(asyncio.create_task(self._answer(sweep, cell, slot)))
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            for answer in sweep.answers.values():
                answer.cancel()
            # Their final records are written before the sweep counts as ended: Resume looks at those.
            await asyncio.gather(*(answer.ended() for answer in sweep.answers.values()))

    async def _answer(self, sweep: SweepRun, cell: Cell, slot: Slot) -> None:
        try:
            await self._call(sweep, cell, slot)
        finally:
            slot.give_back()

    async def _call(self, sweep: SweepRun, cell: Cell, slot: Slot) -> None:
        endpoint, model = endpoints.find(cell.model, self._registry.endpoints(sweep.owner))
        asked = sweep.plan.request(model, cell.temperature)

        def record(db: Connection) -> Call:
            request = unsupported_params.adapted(db, sweep.owner, endpoint.base_url, asked)
            call = Call(secrets.token_hex(16), sweep.owner, sweep.session, "sweep", endpoint.name, request, cell.id)
            call = replace(call, sweep_id=sweep.id)
            records.start_call(db, call, self._dispatcher.process)
            return call

        call = await self._dispatcher.store.submit(record)
        answer = sweep.answers[cell.id] = await self._dispatcher.begin(call, endpoint, slot.sleep)
        sweep.touch()
        await answer.ended()
        sweep.touch()

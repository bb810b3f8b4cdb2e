"""Runs this process's share of sweeps that several processes work on.

Such a sweep has a slot for each call that may be under way at once, whichever process it runs in. The slots of one
sweep in one process are those of one run: it keeps to what was learnt of the services, and takes its cells from the
store one by one.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lib.calls import records
from lib.calls.dispatcher import Dispatcher
from lib.core.errors import NotConnected, StoreError, TemperaError, unforeseen
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.sweep import repository as sweeps
from lib.sweep import shared_runs
from lib.sweep.claims import SharedClaims
from lib.sweep.progress import ProgressReader
from lib.sweep.run import SweepRun
from lib.sweep.run_elsewhere import told_outlook
from lib.sweep.sending import Sending
from lib.sweep.shared_gates import SharedGates

LOOK_SECONDS = 0.5
"""So often a run looks at what others have taken, and what the page wishes."""


class Shares:
    """Runs them on the background loop. One per process."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        registry: EndpointRegistry,
        progress: ProgressReader,
        prepare: Callable[[SweepRun], None],
        know: Callable[[str], None],
    ) -> None:
        """`prepare` lets a run know what is known of its models, `know` reads what an owner has set."""
        self._dispatcher, self._registry, self._progress = dispatcher, registry, progress
        self._prepare, self._know = prepare, know
        self._shares: dict[str, Share] = {}
        # Of two slots that begin at once one opens the run, and the other one joins it.
        self._opening = asyncio.Lock()

    async def take_part(self, owner: str, sweep_id: str, seconds: float) -> bool:
        """Be one more slot of a sweep for so long; whether there is nothing left to send here. Raises NotConnected
        where this process has not the services that it needs."""
        async with self._opening:
            share = self._shares.get(sweep_id)
            if share is None or share.run.finished:
                share = await self._open(owner, sweep_id)
            if share is None:
                return True
            share.add_slots(1)
            if not share.begun:
                share.begun = True
                await self._dispatcher.jobs.start_on_loop(share.run, share.work())
        try:
            async with asyncio.timeout(seconds):
                await share.run.ended()
            return True
        except TimeoutError:
            return False
        finally:
            share.add_slots(-1)

    async def _open(self, owner: str, sweep_id: str) -> "Share | None":
        if self._dispatcher.stopping:
            return None
        opened = await asyncio.to_thread(self._run_of, owner, sweep_id)
        if opened is None:
            await self._dispatcher.store.submit(partial(shared_runs.end_if_done, owner=owner, sweep_id=sweep_id))
            return None
        self._shares = {id: one for id, one in self._shares.items() if not one.run.finished}
        gates = SharedGates(self._dispatcher.store, owner)
        await asyncio.to_thread(gates.set_clock)
        self._shares[sweep_id] = share = Share(self._dispatcher, self._registry, *opened, gates)
        return share

    def _run_of(self, owner: str, sweep_id: str) -> tuple[SweepRun, int] | None:
        """A run of what is left of a sweep, and since when that is under way."""
        store = self._dispatcher.store
        plan, shared, due = store.read(
            lambda db: (
                sweeps.plan_of(db, owner, sweep_id),
                shared_runs.of(db, owner, sweep_id),
                shared_runs.due(db, owner, sweep_id),
            )
        )
        if plan is None or shared is None or shared.ended or shared.stopping or not due:
            return None
        self._know(owner)
        progress = self._progress.of(owner, sweep_id)
        cells = [cell for cell in progress.cells if cell.id in due]
        for service in {cell.model.partition("/")[0] for cell in cells}:
            if not self._registry.has_operators_key(owner, service):
                raise NotConnected(service=service)
        run = SweepRun(sweep_id, owner, shared.session, plan, cells, due, concurrency=0)
        run.line.slots_of_all = min(plan.concurrency, self._dispatcher.limits.at_once or plan.concurrency)
        run.over_budget = shared.over_budget
        run.fixed.update(progress.stops.fixed)
        run.ledger.spent = shared.spent
        self._dispatcher.budgets.seen_in(owner, ZoneInfo(shared.zone))
        self._prepare(run)
        return run, shared.began_at


class Share:
    """One sweep's slots in this process, as one run."""

    def __init__(
        self, dispatcher: Dispatcher, registry: EndpointRegistry, run: SweepRun, began_at: int, gates: SharedGates
    ) -> None:
        self.run, self._began_at, self._dispatcher = run, began_at, dispatcher
        self._sending = Sending(dispatcher, registry, run, SharedClaims(dispatcher.store, run, gates))
        self.begun = False
        """Whether its work has begun."""
        self._known = dict(run.attempts)

    def add_slots(self, more: int) -> None:
        """So many slots more, or fewer."""
        self.run.line.concurrency += more
        self._sending.look()

    async def work(self) -> None:
        """Send what is due until nothing is left, or no slot. Raises what kept the rest from being sent."""
        looking = asyncio.create_task(self._look_on())
        trouble: TemperaError | None = None
        try:
            await self._sending.work()
        except Exception as problem:
            trouble = problem if isinstance(problem, TemperaError) else unforeseen(problem, f"sweep {self.run.id}")
            raise trouble from None
        finally:
            looking.cancel()
            await self._say_the_end(trouble)

    async def _say_the_end(self, trouble: TemperaError | None) -> None:
        """Let the store know that nothing more is sent here; again and again while it is away."""
        run, owner, process = self.run, self.run.owner, self._dispatcher.process

        def end(db: Connection) -> None:
            records.interrupt_unknown(db, owner, run.id, process)
            if trouble is not None:
                shared_runs.stop_for(db, owner, run.id, self._began_at, shared_runs.told(trouble))
            shared_runs.end_if_done(db, owner, run.id)

        while True:
            try:
                await self._dispatcher.store.submit(end)
                return
            except StoreError:
                if self._dispatcher.stopping:
                    return  # whoever looks after the sweeps finds it
                await asyncio.sleep(LOOK_SECONDS)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(StoreError):
                await self._look()

    async def _look(self) -> None:
        owner, sweep_id, store = self.run.owner, self.run.id, self._dispatcher.store

        def read() -> tuple[shared_runs.SharedRun | None, dict[str, int]]:
            return store.read(lambda db: (shared_runs.of(db, owner, sweep_id), shared_runs.due(db, owner, sweep_id)))

        shared, due = await asyncio.to_thread(read)
        if shared is None or shared.stopping or shared.began_at != self._began_at:  # resumed, perhaps in another form
            self.run.cancel()
            return
        await self._sending.renew()
        for cell_id in shared.stopped_cells:
            self.run.stop_cell(cell_id)
        waiting = {call.payload.cell.id for call in self.run.line.waiting()}
        self._sending.taken_by_others(waiting - due.keys())
        new = [cell_id for cell_id, attempts in due.items() if self._known.get(cell_id) != attempts]
        if new:
            self._known |= due
            found = await asyncio.to_thread(store.read, lambda db: shared_runs.cells_of(db, owner, sweep_id, new))
            self._sending.put(found)
        await store.submit(lambda db: shared_runs.tell(db, owner, sweep_id, told_outlook(self.run.outlook)))

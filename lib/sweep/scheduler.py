"""Stores the plans of sweeps and runs them, wholly or what is missing of them."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from sqlalchemy import Connection

from lib.calls import unsupported_params
from lib.calls.dispatcher import Dispatcher
from lib.core.errors import NotConnected, NothingConnected, StoreError
from lib.core.limits import NO_LIMITS
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.sweep import estimate, history, judge, learned_rates, shared_runs
from lib.sweep import repository as sweeps
from lib.sweep.history import Usual
from lib.sweep.plan import Cell, Plan, unique
from lib.sweep.progress import Progress, ProgressReader
from lib.sweep.repository import Sweep
from lib.sweep.run import SweepRun
from lib.sweep.run_elsewhere import RunElsewhere
from lib.sweep.sending import Sending
from lib.sweep.shared_runs import SharedRun

ALIKE = 20
"""So many sweeps with one prompt are looked at for one that asks the same in everything else."""


CallWorkers = Callable[[str, str, int], None]
"""Called with the owner, the sweep, and how many slots it should have."""


class SweepScheduler:
    """Stores plans and runs them. One per process; pages look at what runs through `running`."""

    def __init__(self, dispatcher: Dispatcher, registry: EndpointRegistry) -> None:
        self._dispatcher, self._registry = dispatcher, registry
        self.progress = ProgressReader(dispatcher.store, dispatcher.outcomes)
        self.call_workers: CallWorkers | None = None
        """Has slots of a sweep filled by whoever can; None where this process runs all sweeps itself."""
        self._usual: dict[str, tuple[object, Mapping[tuple[str, str], Usual]]] = {}

    def launch(self, owner: str, session: str, plan: Plan, plan_estimate: Mapping[str, Any] | None = None) -> str:
        """Store a plan with all its cells and the estimate of it, then begin to send them; the sweep's id. Raises
        InvalidInput when it can't be run or is not allowed, NothingConnected when there is no service to ask,
        BudgetReached when no answer of it may be asked for."""
        connected = self._registry.endpoints(owner)
        if not connected:
            raise NothingConnected
        plan = self._allowed(self._as_stored(plan.checked(), connected), connected)
        self.check_budgets(owner, session, plan)
        sweep_id, store = secrets.token_hex(16), self._dispatcher.store
        # Named here and not in the writing thread, which others wait for.
        cells = list(plan.cells(sweep_id))
        store.write(lambda db: sweeps.add_plan(db, owner, session, sweep_id, plan, plan_estimate)).result()
        self._write_cells(owner, sweep_id, cells)
        self._start_here_or_elsewhere(owner, session, sweep_id, plan, cells)
        return sweep_id

    def growth(self, owner: str, sweep_id: str, wanted: Plan) -> int:
        """How many cells `wanted` has beyond a stored sweep; 0 where it asks something else."""
        plan = self._dispatcher.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        connected = self._registry.endpoints(owner)
        grown = plan.grown(self._as_stored(wanted, connected)) if plan and connected else None
        return grown.size - plan.size if plan and grown else 0

    def grown(self, owner: str, sweep_id: str, wanted: Plan) -> tuple[Plan, list[Cell]] | None:
        """A stored sweep's plan with what `wanted` asks beyond it, and the cells that are new; None where it asks
        something else. Raises InvalidInput when there would be too many cells."""
        plan = self._dispatcher.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        connected = self._registry.endpoints(owner)
        grown = plan.grown(self._as_stored(wanted.checked(), connected)) if plan and connected else None
        grown = self._allowed(grown, connected) if grown else None
        if grown is None:
            return None
        before = {cell.id for cell in self.progress.of(owner, sweep_id).cells}
        return grown, [cell for cell in grown.cells(sweep_id) if cell.id not in before]

    def grow(
        self, owner: str, session: str, sweep_id: str, wanted: Plan, added: Mapping[str, Any] | None = None
    ) -> None:
        """Add to a sweep that has ended what `wanted` asks beyond it, and send that only; `added` is the estimate of
        it. Nothing happens where it asks something else. Raises as `grown` does, and NotConnected."""
        found = self.grown(owner, sweep_id, wanted)
        if found is None or self.is_running(owner, sweep_id):
            return
        plan, new = found
        foreseen = estimate.with_more(self.progress.of(owner, sweep_id).estimate, added or {})
        self._dispatcher.store.write(lambda db: sweeps.change_plan(db, owner, sweep_id, plan, foreseen)).result()
        self._write_cells(owner, sweep_id, new)
        self._send(owner, session, sweep_id, plan, self.progress.of(owner, sweep_id), new)

    def same(self, owner: str, wanted: Plan) -> tuple[str, int] | None:
        """(id, when it was made) of the owner's newest sweep that asks the same as `wanted`; None where there is
        none."""
        connected = self._registry.endpoints(owner)
        if not connected:
            return None
        found = self._dispatcher.store.read(lambda db: sweeps.with_prompt(db, owner, wanted.prompt, ALIKE))
        named = self._as_stored(wanted, connected)
        return next(((id, made) for id, made, plan in found if plan.asks_the_same(named)), None)

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

    def resume(self, owner: str, session: str, sweep_id: str, cap: float | None = None) -> None:
        """Send the cells of a sweep that are not done, with another `cap` if there is one; nothing happens while it
        runs. Raises NotConnected when one of their services is gone: they go nowhere else."""
        store = self._dispatcher.store
        plan = store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        progress = self.progress.of(owner, sweep_id)
        if plan is not None and len(progress.cells) < plan.size:
            self._finish_planning(owner, sweep_id)
            progress = self.progress.of(owner, sweep_id)
        if plan is None or self.is_running(owner, sweep_id):
            return
        if cap is not None and cap != plan.cap:
            plan = replace(plan, cap=cap).checked()
            changed = plan
            store.write(lambda db: sweeps.change_plan(db, owner, sweep_id, changed)).result()
        self._send(owner, session, sweep_id, plan, progress, progress.left)

    def go_on(self, owner: str, session: str, sweep_id: str, service: str) -> None:
        """Send what a paused service has left; raises NotConnected."""
        self._again(owner, session, sweep_id, lambda progress: progress.paused(service))

    def retry_failed(self, owner: str, session: str, sweep_id: str) -> None:
        """Send the cells that failed once more; their attempts so far are kept. Raises NotConnected."""
        self._again(owner, session, sweep_id, lambda progress: progress.failed)

    def rerun(self, owner: str, session: str, sweep_id: str, cell_id: str) -> None:
        """Send one cell once more; its answer so far is kept as an older attempt. Raises NotConnected."""
        self._again(owner, session, sweep_id, lambda progress: [cell for cell in progress.cells if cell.id == cell_id])

    def _again(self, owner: str, session: str, sweep_id: str, which: Callable[[Progress], Sequence[Cell]]) -> None:
        plan = self._dispatcher.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        progress = self.progress.of(owner, sweep_id)
        if plan is not None:
            self._send(owner, session, sweep_id, plan, progress, which(progress))

    def _send(
        self, owner: str, session: str, sweep_id: str, plan: Plan, progress: Progress, cells: Sequence[Cell]
    ) -> None:
        """Send cells of a stored sweep, beside what runs of it already."""
        attempts = {id: call.attempt for id, call in progress.results.items()}
        running = self.last_run(owner, sweep_id)
        goes_on = running is not None and not running.finished
        if goes_on:
            under_way = {id for id, call in progress.results.items() if call.state == "started"}
            cells = [cell for cell in cells if cell.id not in under_way]
        absent = {cell.model.partition("/")[0] for cell in cells}
        absent -= {one.name for one in self._registry.endpoints(owner)}
        if absent:
            raise NotConnected(service=min(absent))
        if not goes_on:
            self.check_budgets(owner, session, plan, unique([cell.model for cell in cells]))
        if running is not None and goes_on and self.shared_run(owner, sweep_id) is None:
            running.attempts |= attempts
            self._dispatcher.jobs.loop.call_soon_threadsafe(running.add, cells)
        elif cells:
            self._start_here_or_elsewhere(owner, session, sweep_id, plan, cells, attempts, progress)

    def _start_here_or_elsewhere(
        self,
        owner: str,
        session: str,
        sweep_id: str,
        plan: Plan,
        cells: Sequence[Cell],
        attempts: Mapping[str, int] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Let workers send cells of a stored sweep, where there are some that may; else this process does."""
        if self.call_workers is not None and not self.stays_here(owner, cells):
            budgets, spent = self._dispatcher.budgets, self._spent(owner, sweep_id, progress)
            over, zone = budgets.passes(owner, session), budgets.zone_of(owner).key

            def put(db: Connection) -> None:
                if sweep_id not in shared_runs.under_way(db, owner):
                    shared_runs.begin(db, owner, session, sweep_id, over, spent, zone)
                shared_runs.add(db, owner, sweep_id, cells, attempts or {})

            self._dispatcher.store.write(put).result()
            self.call_workers(owner, sweep_id, self.concurrency(plan, len(cells)))
            return
        if self.call_workers is not None:
            self._dispatcher.store.write(lambda db: shared_runs.forget(db, owner, sweep_id)).result()
        run = SweepRun(sweep_id, owner, session, plan, cells, attempts)
        if progress is not None:
            run.fixed.update(progress.stops.fixed)
            self._count_on(run, progress)
        self.start(run)

    def _spent(self, owner: str, sweep_id: str, progress: Progress | None) -> float:
        """What a sweep has spent of its limit: on its answers, and on those who judged them."""
        if progress is None:
            return 0.0
        judges = self._dispatcher.store.read(lambda db: sweeps.spent_on_judges(db, owner, sweep_id))
        return progress.spent + judges

    def _count_on(self, run: SweepRun, progress: Progress) -> None:
        """Let a run count what was spent before, together with a judge that is at work meanwhile."""
        judges = judge.ledger_of(self._dispatcher.jobs, run.id)
        if judges is not None:
            judges.cap, run.ledger = run.ledger.cap, judges
        else:
            run.ledger.spent = self._spent(run.owner, run.id, progress)

    def concurrency(self, plan: Plan, due: int) -> int:
        """How many calls at once are of use for so many cells that are due."""
        return min(plan.concurrency, due, self._dispatcher.limits.at_once or due)

    def stays_here(self, owner: str, cells: Iterable[Cell]) -> bool:
        """Whether cells are sent by this process though there are workers: those know the operator's keys, and no
        visitor's."""
        services = {cell.model.partition("/")[0] for cell in cells}
        known = all(self._registry.has_operators_key(owner, service) for service in services)
        return self.call_workers is not None and not known

    def _allowed(self, plan: Plan, connected: Sequence[Endpoint]) -> Plan:
        """The plan itself; raises NotAllowed where the operator does not allow it."""
        limits = self._dispatcher.limits
        if limits is NO_LIMITS:
            return plan  # a large one's requests take a while to be made
        limits.check_sweep(plan.size)
        inputs, variants = map(range, plan.slices)
        for model, input, variant in product(plan.models, inputs, variants):
            endpoint, name = endpoints.find(model, connected)
            self._dispatcher.allowed(endpoint, plan.request(name, None, input, variant))
        return plan

    def bounded(self, plan: Plan) -> Plan:
        """The plan with the longest answer that the operator allows, where it has no bound of its own."""
        longest = self._dispatcher.limits.max_tokens
        if longest is None or plan.params.max_tokens is not None:
            return plan
        return replace(plan, params=plan.params.model_copy(update={"max_tokens": longest}))

    def _as_stored(self, plan: Plan, connected: Sequence[Endpoint]) -> Plan:
        return self.bounded(_named(plan, connected))

    def check_budgets(self, owner: str, session: str, plan: Plan, models: Sequence[str] | None = None) -> None:
        """Raises BudgetReached where not one call of these models of a plan, of any of them, may begin; and as
        `Caps.check` does."""
        budgets, models = self._dispatcher.budgets, plan.models if models is None else models
        if not models or not budgets.bind(owner):
            return
        worst = estimate.worst_of_each(self.bounded(plan), models, self._registry.endpoints(owner)).values()
        budgets.renew(owner, session)
        if not any(budgets.fits(owner, session, one) for one in worst):
            for one in worst:
                budgets.check(owner, session, [one])

    def start(self, run: SweepRun) -> None:
        """Start to send the cells of `run` from this process; for every thread but the loop's own."""
        run.over_budget = self._dispatcher.budgets.passes(run.owner, run.session)
        self.prepare(run)
        self._dispatcher.jobs.start(run, Sending(self._dispatcher, self._registry, run).work())

    def prepare(self, run: SweepRun) -> None:
        """Let a run know what is known of its models: their prices, their paces, how long they take."""
        connected = self._registry.endpoints(run.owner)
        run.addresses = {one.name: one.base_url for one in connected}
        run.service_concurrency = {one.name: one.concurrency for one in connected if one.concurrency is not None}
        run.seconds_each = {one.name: one.seconds_each for one in connected if one.seconds_each is not None}
        models = {cell.model: cell.row for cell in run.cells}

        def read(db: Connection) -> None:
            run.history = history.read(db, run.owner, run.plan)
            run.paces = learned_rates.load(db, run.owner)
            for model, row in models.items():
                address, name = run.addresses.get(model.partition("/")[0], ""), model.partition("/")[2]
                if "temperature" in unsupported_params.known(db, run.owner, address, name):
                    first = min(cell.column for cell in run.cells if cell.row == row)
                    run.fixed.setdefault(row, first)

        with suppress(StoreError):  # the cells are sent all the same, in a worse order and at a worse pace
            self._dispatcher.store.read(read)
        run.worst = estimate.worst_of_each(run.plan, models, connected)
        run.usual = estimate.usual_of_each(run.plan, models, connected, run.history.models)

    def running(self, sweep_id: str | None) -> SweepRun | None:
        """The run of a sweep, if it is under way in this process."""
        job = self._dispatcher.jobs.get(sweep_id) if sweep_id else None
        return job if isinstance(job, SweepRun) and not job.finished else None

    def last_run(self, owner: str, sweep_id: str) -> SweepRun | None:
        """The newest run of an owner's sweep in this process, under way or ended; it tells what went wrong beside what
        its calls say."""
        job = self._dispatcher.jobs.get(sweep_id)
        here = job if isinstance(job, SweepRun) and job.owner == owner else None
        if here is not None and not here.finished:
            return here
        shared = self.shared_run(owner, sweep_id)
        plan = None if shared is None else self._dispatcher.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
        return here if shared is None or plan is None else RunElsewhere(shared, plan)

    def shared_run(self, owner: str, sweep_id: str) -> SharedRun | None:
        """How a sweep stands that workers have; None of one that this process runs, or ran, alone."""
        if self.call_workers is None:
            return None
        return self._dispatcher.store.read(lambda db: shared_runs.of(db, owner, sweep_id))

    def is_running(self, owner: str, sweep_id: str | None) -> bool:
        """Whether a sweep of an owner is under way, here or elsewhere."""
        if sweep_id is None:
            return False
        running = self.last_run(owner, sweep_id)
        return running is not None and not running.finished

    def stop(self, owner: str, sweep_id: str) -> None:
        """End all running answers of a sweep; what has come is kept. Raises StoreError where those elsewhere can't be
        told."""
        running = self.running(sweep_id)
        if running is not None and running.owner == owner:
            running.cancel()
        if self.call_workers is not None:
            self._dispatcher.store.write(lambda db: shared_runs.wish_stop(db, owner, sweep_id)).result()

    def stop_cell(self, owner: str, sweep_id: str, cell_id: str) -> None:
        """End one running answer; the others go on. Raises StoreError."""
        running = self.running(sweep_id)
        if running is not None and running.owner == owner:
            running.stop_cell(cell_id)
        if self.call_workers is not None:
            self._dispatcher.store.write(lambda db: shared_runs.wish_stop_of(db, owner, sweep_id, cell_id)).result()

    def usual(self, owner: str) -> Mapping[tuple[str, str], Usual]:
        """What the owner's own calls tell of each model; see `history.of_models`. Read anew when there are other
        calls."""
        store = self._dispatcher.store
        mark = store.read(lambda db: history.newest(db, owner))
        known = self._usual.get(owner)
        if known is None or known[0] != mark:
            # A page asks with each rerun; between two calls nothing changes.
            known = self._usual[owner] = mark, store.read(lambda db: history.of_models(db, owner))
        return known[1]

    def under_way(self, owner: str) -> frozenset[str]:
        """The ids of an owner's sweeps that are under way, here or elsewhere."""
        jobs = self._dispatcher.jobs.running()
        here = frozenset(job.id for job in jobs if isinstance(job, SweepRun) and job.owner == owner)
        if self.call_workers is None:
            return here
        return here.union(self._dispatcher.store.read(lambda db: shared_runs.under_way(db, owner)))

    def listed(self, owner: str, search: str = "", limit: int | None = None, offset: int = 0) -> list[Sweep]:
        """The owner's newest sweeps, as `repository.sweeps_of` finds them, counted as their own pages count."""
        found = self._dispatcher.store.read(lambda db: sweeps.sweeps_of(db, owner, search, limit, offset))
        return [self.counted(owner, sweep) for sweep in found]

    def counted(self, owner: str, sweep: Sweep) -> Sweep:
        """A listed sweep with its counts of now."""
        run = self.last_run(owner, sweep.id)
        return self.progress.counted(owner, sweep, run.failed if run else ())

    def delete(self, owner: str, sweep_id: str) -> None:
        """Stop a sweep and take it out of the list; its calls stay in the history, those too that are still to be
        saved. Raises StoreError."""
        self.stop(owner, sweep_id)
        self._dispatcher.store.write(lambda db: sweeps.delete(db, owner, sweep_id)).result()


def _named(plan: Plan, connected: Sequence[Endpoint]) -> Plan:
    """`plan` with its models named so that they mean the same whatever is connected later."""
    return replace(plan, models=unique([endpoints.named(model, connected) for model in plan.models]))

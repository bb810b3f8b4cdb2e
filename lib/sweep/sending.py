"""Sends the cells of one run, each in its turn; stops what is of no use to send.

A refusal for the service's limits costs a call its slot and nothing else: it waits in line again. A key that is
refused, or an empty account, stops the rest of that service; a model that is unknown, the rest of its row.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Set
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from lib.calls.dispatcher import Dispatcher
from lib.calls.runner import Answer
from lib.core.budget import Use
from lib.core.errors import (
    BudgetReached,
    CapOfTheOperator,
    CapReached,
    NoAnswersCame,
    NotAllowed,
    NotConnected,
    StoreError,
    StoreFull,
    TemperaError,
    unforeseen,
)
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.sweep import learned_rates, shared_gates, stops
from lib.sweep.cell_turn import CellTurn, turn_of
from lib.sweep.claims import Claims
from lib.sweep.plan import Cell
from lib.sweep.rate_limiter import Gate
from lib.sweep.recorder import Recorder
from lib.sweep.run import SweepRun
from lib.sweep.shared_gates import GateAnswer
from lib.sweep.waiting_calls import Lane, longest_first

T = TypeVar("T")
LOOK_SECONDS = 0.5
STATEMENT_SECONDS = 5.0
"""For so long a record is tried again that the database refuses though it is there: two processes may have been in each
other's way (a deadlock); what it refuses for longer it will always refuse."""
LIMITS = (BudgetReached, CapOfTheOperator, CapReached)
"""What says that a call may not begin as long as others are on their way."""


class Sending:
    """The work of one run, on the background loop."""

    def __init__(
        self, dispatcher: Dispatcher, registry: EndpointRegistry, run: SweepRun, claims: Claims | None = None
    ) -> None:
        self._dispatcher, self._run = dispatcher, run
        self._claims: Claims = claims or Claims(run)
        self._recorder = Recorder(dispatcher, registry, run, self._claims)
        self._budgets = dispatcher.budgets
        run.sender = self
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_answer = self.now()
        self._gave_up = False
        self._store_refusal: StoreError | None = None
        """What kept a call from being recorded that may not be sent without."""
        self._saving = 0
        self._looked_at = float("-inf")
        self._telling: Counter[Lane] = Counter()
        """How much of each lane the store is being told."""

    def now(self) -> float:
        """Seconds on the clock by which the gates are told: one that all have who share them."""
        return time.monotonic() if self._claims.gates is None else self._claims.gates.now()

    @property
    def gives_up_at(self) -> float:
        """Until then refused calls are tried again."""
        return self._last_answer + 60 * self._run.plan.patience

    async def work(self) -> None:
        """Send all cells of the run; ends when nothing more can be sent. Raises what kept the rest from being sent."""
        line = self._run.line
        self.put(self._run.cells)
        try:
            while True:
                if self._dispatcher.stopping:
                    await self._let_end()
                    break
                if self._store_refusal is not None:
                    raise self._store_refusal
                now = self.now()
                if now >= self.gives_up_at and not self._gave_up and any(line.waiting()):
                    self._give_up()
                ready = line.send_next(now)
                if ready is not None:
                    self._send(turn_of(ready))
                    continue
                self._look_ahead(now)
                wakes = line.wakes_at(now)
                if wakes is None and not line.running and not self._saving:
                    with suppress(StoreError):
                        await self.renew()
                    if not line.concurrency or not self._is_left():
                        break
                # The outlook is renewed though nothing happens: the page counts down by it.
                renewed = now + (LOOK_SECONDS if line.running or any(line.waiting()) else math.inf)
                await self._something_happens(min(wakes or math.inf, self.gives_up_at, renewed) - now)
        finally:
            await self._end()

    def put(self, cells: Iterable[Cell]) -> None:
        """Let cells wait for their turn; those of one model that took longest before come first."""
        turns = [CellTurn(self, cell) for cell in cells if not self._run.is_spared(cell)]
        for turn in turns:
            turn.waiting.lane.closed = False
            turn.waiting.known = self._run.history.seconds(self._run.plan, turn.cell)
        for waiting in longest_first([turn.waiting for turn in turns]):
            waiting.lane.put(waiting)
        self._changed.set()

    def fits_budgets(self, worst: Use) -> bool:
        """Whether the budgets of whoever runs it let a call begin that takes so much at worst."""
        return self._budgets.fits(self._run.owner, self._run.session, worst, self._run.over_budget)

    def look(self) -> None:
        """See anew what can be sent: there are more slots, or fewer cells."""
        self._changed.set()

    async def renew(self) -> None:
        """See anew what other processes have left of limits, where there may be others. Raises StoreError."""
        if self._dispatcher.store.on_server:
            await asyncio.to_thread(self._budgets.renew, self._run.owner, self._run.session)
            await self._claims.renew()
            self.look()

    def lane(self, model: str) -> Lane:
        """The lane of a model of the plan."""
        return self._run.lane(model)

    def refused(self, turn: CellTurn, now: float, asked: float | None) -> float:
        """Learn from a refusal; the moment from which that call may be sent again."""
        self._release(turn)
        sent_at = turn.waiting.sent_at
        until = self._run.line.refused(turn.waiting, now, asked)
        # What leaves until the others can know is refused with it, and tells nothing more.
        self.tell(turn.waiting.lane, lambda gate: gate.refused(sent_at, now, asked, known=self.now()))
        self._keep_paces([turn.waiting.lane])
        self._changed.set()
        return until

    def put_back(self, turn: CellTurn, not_before: float) -> None:
        """Let a call that was not answered wait for its next turn."""
        if turn.between_attempts:
            # It has been recorded, and other processes count what the store has set aside for it: that goes too.
            self._budgets.give_back(self._run.owner, [turn.call_id])
            self._run.ledger.release(turn.call_id)
        else:
            self._release(turn)
        self._run.line.put_back(turn.waiting, not_before)
        self._changed.set()

    def drop(self, turn: CellTurn) -> None:
        """Let a call wait no more."""
        self._run.line.drop(turn.waiting)
        self._changed.set()

    def takes_no_temperature(self, cell: Cell) -> bool:
        """Of a row whose model has refused a temperature let one column be sent; whether `cell` is of that one."""
        is_the_one = self._run.is_the_one(cell)
        self.spare_the_others()
        return is_the_one

    def spare_the_others(self) -> None:
        """Let the cells wait no more for which another column stands."""
        turns = map(turn_of, self._run.line.waiting())
        spared = [turn for turn in turns if self._run.is_spared(turn.cell) and not turn.between_attempts]
        for turn in spared:
            self._run.line.drop(turn.waiting)
        self._claims.drop(turn.cell for turn in spared)

    def taken_by_others(self, cells: Set[str]) -> None:
        """Let these cells wait no more, unless their call was begun here."""
        for turn in [turn for turn in map(turn_of, self._run.line.waiting()) if turn.cell.id in cells]:
            if not turn.between_attempts:
                self._run.line.drop(turn.waiting)
        self._changed.set()

    def _send(self, turn: CellTurn) -> None:
        if self._dispatcher.outcomes.full:
            raise StoreFull  # what is sent now would be paid, and lost
        if not self._reserve(turn):
            self._run.line.put_back(turn.waiting, self.now())
            return
        if not turn.between_attempts:
            self._create_task(self._send_cell(turn))
        elif self._dispatcher.store.on_server:
            self._create_task(self._send_again(turn))
        else:
            turn.go_on()

    def _create_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_again(self, turn: CellTurn) -> None:
        """Let a call go on that was refused, where the store has to be asked as for the first time."""
        ask = self._recorder.ask(turn.waiting.lane)
        try:
            told = await self._claimed(partial(self._recorder.record_again, turn.call_id, turn.cell, ask))
        except LIMITS:
            self.put_back(turn, self.now() + LOOK_SECONDS)
            return
        except StoreError as refused:
            if self._recorder.must_record_first:
                self._end_for_the_store(refused)
                return
            told = None
        if self._leave_or_wait(turn, told):
            turn.go_on()

    def _leave_or_wait(self, turn: CellTurn, told: GateAnswer | None) -> bool:
        """Let a call leave, or put it back into the line, as the store said of its gate; whether it leaves."""
        if told is None:
            return True
        self._learn(turn.waiting.lane, told)
        if told.until is not None:
            self.put_back(turn, told.until)
            return False
        turn.waiting.sent_at = told.at
        return True

    def tell(self, lane: Lane, what: Callable[[Gate], object]) -> None:
        """Let the gate that others see know of something, in a moment."""
        gates, ask = self._claims.gates, self._recorder.ask(lane)
        if gates is None or ask is None:
            return

        async def change() -> None:
            told = None
            try:
                with suppress(StoreError):  # then each learns for itself
                    told = await self._dispatcher.store.submit(lambda db: gates.change(db, ask, what))
            finally:
                self._telling[lane] -= 1
            if told is not None:
                self._learn(lane, told)
                self._changed.set()

        self._telling[lane] += 1  # not in there, where it would come after what else waits for its turn on the loop
        self._create_task(change())

    def _learn(self, lane: Lane, told: GateAnswer) -> None:
        """Let a lane's gate be as the store said, unless the store has still to hear of what happened here."""
        if not self._telling[lane]:
            shared_gates.learn(lane, told)

    def _reserve(self, turn: CellTurn) -> bool:
        """Set aside what a cell's call may take; False where others have taken it in between."""
        run, worst = self._run, self._run.worst_of(turn.cell)
        try:
            self._budgets.hold(run.owner, run.session, {turn.call_id: worst}, run.over_budget)
        except LIMITS:
            return False
        run.ledger.reserve(turn.call_id, worst.cost)
        return True

    def _release(self, turn: CellTurn) -> None:
        self._run.ledger.release(turn.call_id)
        self._budgets.release(turn.call_id)

    def _look_ahead(self, now: float) -> None:
        # Not at every event: with 64 calls at once there are hundreds a second.
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._run.look_ahead(now)

    async def _something_happens(self, seconds: float) -> None:
        """Wait for the end of a call or for a wish from outside, at most so many seconds."""
        self._changed.clear()
        alarm = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._changed.set)
        try:
            await self._changed.wait()
        finally:
            alarm.cancel()

    async def _send_cell(self, turn: CellTurn) -> None:
        """Send one cell and wait for its answer; whatever goes wrong with it is its own, and the others go on."""
        answer = None
        try:
            answer = await self._answer_of(turn)
            if answer is not None:
                self._note_end(turn, answer)
        # Foreseen, so that the log needs no number for it: the service was disconnected meanwhile, or what the sweep
        # asks is not allowed any more.
        except (NotConnected, NotAllowed) as refused:
            self._fail(turn.cell, refused)
        except Exception as bug:
            self._fail(turn.cell, unforeseen(bug, f"cell {turn.cell.id}"))
        finally:
            ok = answer is not None and answer.reply.state == "ok"
            self._run.line.ended(turn.waiting, self.now(), ok)
            if ok and turn.waiting.lane.at.tally.flaky:
                self.tell(turn.waiting.lane, Gate.answered)
            self._settle(turn, answer)
            self._changed.set()
            self._run.touch()
        if answer is not None:
            await self._saved(answer)

    def _fail(self, cell: Cell, error: TemperaError) -> None:
        self._run.failed[cell.id] = error
        self._claims.failed(cell, error)

    async def _saved(self, answer: Answer) -> None:
        """Wait until an answer is recorded. Its slot is free by now, so that its record shares a commit with the next
        call's."""
        self._saving += 1
        try:
            await answer.ended()
        finally:
            self._saving -= 1
            if not self._run.line.running:
                self._changed.set()  # the dispatcher has settled with the budgets: the next one may fit after all

    def _settle(self, turn: CellTurn, answer: Answer | None) -> None:
        # The dispatcher settles with the budgets, of all calls that were sent, once they are recorded.
        if answer is None or (answer.reply.cost is None and answer.reply.billed == "no"):
            self._release(turn)
        else:
            self._run.ledger.settle(turn.call_id, answer.reply.cost)

    async def _answer_of(self, turn: CellTurn) -> Answer | None:
        """Record a cell's call, start it, and wait until its answer is there; None where it is not to be made now."""
        run, started = self._run, True
        unrecorded = self._recorder.to_record(turn.call_id, turn.cell, turn.waiting.lane)
        call = unrecorded.call
        try:
            found = await self._claimed(partial(self._recorder.record, unrecorded))
            if found is None:
                self.spare_the_others()
                self._drop_the_row(turn)
                return None
            if isinstance(found, GateAnswer):
                self._leave_or_wait(turn, found)
                return None
            call, mine, told = found
            self._leave_or_wait(turn, told)
            self._swap_cells(turn, mine)
        except LIMITS:
            self.put_back(turn, self.now() + LOOK_SECONDS)  # by then the look at what others do tells more
            return None
        except StoreError as refused:
            if self._recorder.must_record_first:
                self._end_for_the_store(refused)
                return None
            started = False  # it is asked all the same; its record is held until the store takes it
        answer = await self._dispatcher.start_on_loop(call, unrecorded.endpoint, turn, run.id, started)
        run.answers[turn.cell.id] = answer
        run.touch()
        await answer.came.wait()
        return answer

    async def _claimed(self, record: Callable[[Connection], T]) -> T:
        """What `record` says, once the store has taken it. Raises StoreError where that is not to be waited for, or was
        for too long."""
        began = self.now()
        while True:
            try:
                return await self._dispatcher.store.submit(record)
            except StoreError as refused:
                is_away = type(refused) is not StoreError  # else it is about this statement alone
                until = self.gives_up_at if is_away else began + STATEMENT_SECONDS
                if not self._recorder.must_record_first or self.now() >= until:
                    raise
            await asyncio.sleep(LOOK_SECONDS)

    def _end_for_the_store(self, refused: StoreError) -> None:
        """Send nothing more, and say why; what is missing can be sent once the store is back."""
        self._store_refusal = refused
        self._changed.set()

    def _swap_cells(self, turn: CellTurn, mine: Cell) -> None:
        """Let a call be for the cell that was free; whose turn that would have been gets this one's in return."""
        if mine == turn.cell:
            return
        others = map(turn_of, turn.waiting.lane.waiting)
        other = next((other for other in others if other.cell.id == mine.id), None)
        if other is not None:
            other.cell = turn.cell
        turn.cell = mine

    def _drop_the_row(self, turn: CellTurn) -> None:
        """Others have all cells of a row."""
        if self._claims.shared:
            row, cells = turn.cell.row, [turn_of(waiting).cell for waiting in turn.waiting.lane.waiting]
            self.taken_by_others({cell.id for cell in cells if cell.row == row})

    def _note_end(self, turn: CellTurn, answer: Answer) -> None:
        """Note when an answer came, and send no more of what its end shows to be of no use."""
        kind, lane = answer.reply.error_kind, turn.waiting.lane
        if answer.reply.state == "ok":
            self._last_answer = self.now()
        if kind in stops.OF_A_SERVICE:
            for other in self._run.line.lanes.values():
                if other.service is lane.service:
                    self._close(other)
        elif kind in stops.OF_A_MODEL:
            self._close(lane)
        if turn.cell.row in self._run.fixed:
            self.spare_the_others()

    def _close(self, lane: Lane) -> None:
        """Send nothing more of a model; what waits is missing then, and can be sent later."""
        lane.closed = True
        turns = [turn_of(waiting) for waiting in lane.waiting]
        self._claims.drop(turn.cell for turn in turns)
        for turn in turns:
            answer = self._run.answers.get(turn.cell.id)
            if turn.between_attempts and answer is not None:
                answer.cancel()
            else:
                self._run.line.drop(turn.waiting)

    def _give_up(self) -> None:
        """Nothing was answered for too long: what was refused stays refused."""
        self._gave_up = True
        for lane in self._run.line.lanes.values():
            lane.closed = True
            turns = [turn_of(waiting) for waiting in lane.waiting]
            self._claims.drop(turn.cell for turn in turns)
            for turn in turns:
                turn.give_up()

    def _is_left(self) -> bool:
        """Whether there is still something to send, where nothing could be sent a moment ago. Raises what keeps it from
        being sent."""
        if self._gave_up:
            raise NoAnswersCame(minutes=self._run.plan.patience)
        run = self._run
        open_lanes = [lane for lane in run.line.lanes.values() if lane.waiting and not lane.closed]
        worst = [run.worst_of(turn_of(lane.waiting[0]).cell) for lane in open_lanes]
        if worst and not any(run.ledger.could_fit(one.cost) for one in worst):
            raise CapReached(cap=run.ledger.cap or 0.0, spent=run.ledger.spent)
        for one in worst:
            self._budgets.check_for_good(run.owner, run.session, one, run.over_budget)
        return bool(worst)

    def _keep_paces(self, lanes: Iterable[Lane]) -> None:
        """Keep what was learnt, where it is something new; that it can't be saved is no reason to fail."""
        for lane in lanes:
            base_url, gate = self._run.addresses.get(lane.service.name), lane.at
            model = "" if lane.service.shared is not None else lane.model
            pace = (gate.rate, gate.burst) if gate.state == "paced" and gate.rate else None
            known = self._run.paces.get((base_url or "", model))
            if base_url is None or pace == known:
                continue
            if pace is None:
                self._run.paces.pop((base_url, model), None)
            else:
                self._run.paces[base_url, model] = pace
            self._dispatcher.store.write(partial(_save_pace, self._run.owner, base_url, model, pace))

    async def _let_end(self) -> None:
        """Wait for the answers that are on their way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _end(self) -> None:
        self._keep_paces(self._run.line.lanes.values())
        # A task's answer is a job of its own and goes on when the task is cancelled: both are stopped.
        for task in list(self._tasks):
            task.cancel()
        answers = list(self._run.answers.values())
        for answer in answers:
            answer.cancel()
        # Their outcomes are written before the sweep counts as ended: Resume looks at those.
        await asyncio.gather(*(answer.ended() for answer in answers))


def _save_pace(owner: str, base_url: str, model: str, pace: tuple[float, int] | None, db: Connection) -> None:
    learned_rates.save(db, owner, base_url, {model: pace})

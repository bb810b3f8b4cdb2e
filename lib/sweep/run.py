"""A sweep that runs, as the page sees it and as `sending` works on it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.background import Job
from lib.calls.ledger import Ledger
from lib.calls.runner import Answer
from lib.core.budget import Use
from lib.core.errors import TemperaError
from lib.sweep.history import NOTHING, History
from lib.sweep.plan import Cell, Plan
from lib.sweep.rate_limiter import Gate
from lib.sweep.waiting_calls import Lane, Line, Waiting


@dataclass(frozen=True, slots=True)
class Limit:
    """A model that is held back: `rate` is in requests a second (None: not known yet), `waiting` how many of its calls
    stand in line, and `seconds` how long the last of them about waits."""

    model: str
    rate: float | None
    waiting: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run has still before it; `seconds` None: nothing is known of its models yet."""

    seconds: float | None = None
    limits: tuple[Limit, ...] = ()


class Sender(Protocol):
    """What sends the cells of a run: `sending.Sending`, which works on it and is not known here."""

    def put(self, cells: Iterable[Cell]) -> None:
        """Let further cells wait for their turn; on the loop."""
        ...

    def fits_budgets(self, worst: Use) -> bool:
        """Whether the budgets of whoever runs it let a call begin that takes so much at worst."""
        ...


class SweepRun(Job):
    """Its id is the sweep's. `cells` are to be sent; `attempts` tells how often each was tried before."""

    def __init__(
        self,
        sweep_id: str,
        owner: str,
        session: str,
        plan: Plan,
        cells: Iterable[Cell],
        attempts: Mapping[str, int] | None = None,
        concurrency: int | None = None,
    ) -> None:
        """As many calls run at once as the plan says, or else `concurrency`."""
        super().__init__(sweep_id)
        self.owner, self.session, self.plan = owner, session, plan
        self.cells: Sequence[Cell] = list(cells)
        self.total = len(self.cells)
        self.attempts = dict(attempts or {})
        self.ledger = Ledger(plan.cap)
        slots = plan.concurrency if concurrency is None else concurrency
        self.line = Line(slots, self._affords, plan.per_minute)
        self.worst: dict[str, Use] = {}
        """What one call of a model takes at worst, by the plan's name of it."""
        self.over_budget = False
        """Whether it was said that it may pass the budgets."""
        self.usual: dict[str, float | None] = {}
        """What one call of a model mostly costs, in the same way."""
        self.answers: dict[str, Answer] = {}
        """Running and ended answers of this run, by cell id."""
        self.failed: dict[str, TemperaError] = {}
        """The cells that could not be sent for a reason nobody foresaw, by id."""
        self.fixed: dict[int, int] = {}
        """Rows whose model takes no temperature, with the column that is sent for all of them."""
        self.outlook = Outlook()
        """What the run still had before it a moment ago."""
        self.history: History = NOTHING
        self.sender: Sender | None = None
        """Whoever sends its cells, as long as that is done."""
        self.addresses: dict[str, str] = {}
        """The base URLs of the services, by name."""
        self.service_concurrency: dict[str, int] = {}
        """How many requests a service works on at once, where that is known."""
        self.seconds_each: dict[str, float] = {}
        """How long after one answer the next one comes, of services that give them at one pace."""
        self.paces: dict[tuple[str, str], tuple[float, int]] = {}
        """The paces that were learnt, by base URL and model; see `learned_rates`."""

    @property
    def size(self) -> int:
        return 10_000 + 500 * len(self.failed)

    def release(self) -> None:
        """The answers are in the store, or held."""
        self.answers, self.cells, self.history, self.sender = {}, [], NOTHING, None
        self.line = Line(self.plan.concurrency)

    def add(self, cells: Iterable[Cell]) -> None:
        """Let further cells be sent; on the loop. Nothing happens where it has not begun, or has ended."""
        if self.sender is not None:
            self.sender.put(cells)

    def lane(self, model: str) -> Lane:
        """The lane of a model of the plan (`service/model id`), as far as earlier runs know it."""
        service, _, name = model.partition("/")
        is_new = (service, name) not in self.line.lanes
        lane = self.line.lane(service, name)
        if is_new:
            address, usual = self.addresses.get(service, ""), self.history.models.get((service, name))
            lane.history, lane.concurrency = usual.seconds if usual else None, self.service_concurrency.get(service)
            lane.seconds_each = self.seconds_each.get(service)
            lane.proven = self.history.concurrency.get((service, name), 0)
            if (address, name) in self.paces:
                lane.gate = Gate.known(lane.service.tally, *self.paces[address, name])
            if (address, "") in self.paces and lane.service.shared is None:
                lane.service.shared = Gate.known(lane.service.tally, *self.paces[address, ""])
        return lane

    def cancel(self) -> None:
        """Ask it to stop, from any thread, and its calls with it: on a loop that is busy with all their words the run's
        own turn, at which it would end them, comes late."""
        super().cancel()  # first, so that nothing is sent in the slots that become free
        for answer in list(self.answers.values()):
            answer.cancel()

    def stop_cell(self, cell_id: str) -> None:
        """End one running answer; its text so far is kept."""
        answer = self.answers.get(cell_id)
        if answer is not None:
            answer.cancel()

    def is_spared(self, cell: Cell) -> bool:
        """Whether another column of its row stands for this cell, as the model takes no temperature."""
        return self.fixed.get(cell.row, cell.column) != cell.column

    def is_the_one(self, cell: Cell) -> bool:
        """Whether `cell` is of the column that is sent for a row whose model takes no temperature: the first that is
        asked about. For any thread."""
        return self.fixed.setdefault(cell.row, cell.column) == cell.column

    def look_ahead(self, now: float) -> None:
        """Renew the outlook; on the loop, as the line changes there."""
        limits = []
        for lane in self.line.lanes.values():
            if lane.waiting and not lane.closed and lane.at.state != "free":
                seconds = self.line.time_to_go(lane.waiting[-1], now)
                limits.append(Limit(f"{lane.service.name}/{lane.model}", lane.at.rate, len(lane.waiting), seconds))
        self.outlook = Outlook(self.line.time_left(now), tuple(limits))

    def worst_of(self, cell: Cell) -> Use:
        """What the call of a cell takes at worst."""
        return self.worst.get(cell.model, Use())

    def _affords(self, call: Waiting) -> bool:
        worst = self.worst_of(call.payload.cell)
        return self.ledger.fits(worst.cost) and (self.sender is None or self.sender.fits_budgets(worst))

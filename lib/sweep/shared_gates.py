"""What is learnt of a service's limits while several processes work on a sweep: the gates of `rate_limiter` as rows of
the store, so that all of them together send no faster than one would.

Whoever wants to send asks the row first, in the transaction that records the call; who is refused tells it. A process's
own gates are copies, by which it knows when to ask. Times are seconds on the clock of the database, which all share.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects import postgresql

from lib.core.clock import MINUTE, SECOND
from lib.store.database import Store
from lib.store.schema import gates
from lib.sweep.rate_limiter import Gate, Tally
from lib.sweep.waiting_calls import Lane

WHOLE_SERVICE = ""
"""The model of a gate before all models of a service."""
KEPT = 10 * MINUTE
"""What nobody has asked for so long is learnt anew, from the pace that was found last."""


@dataclass(frozen=True, slots=True)
class GateQuery:
    """A lane as this process knows it. `left` is how many of its calls wait, `before_all` the gate of the whole service
    where there is one, and `pace` what was learnt in earlier runs (requests a second, how many at once)."""

    base_url: str
    model: str
    left: int
    tally: Tally
    before_all: Gate | None
    pace: tuple[float, int] | None


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the store says: the gate as it is now, and whether it stands before all models of the service. `until` is
    when a call may ask again; None: it may leave, as of the moment `at`."""

    gate: Gate
    before_all: bool
    at: float
    until: float | None = None


class SharedGates:
    """The gates of one owner, for the calls of one process."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self._owner = store, owner
        self._ahead = 0.0

    def set_clock(self) -> None:
        """Read the database's clock, which `now` tells from then on. Raises StoreError."""
        before = time.monotonic()
        theirs = self._store.read(lambda db: db.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar())
        self._ahead = float(theirs or 0.0) - (before + time.monotonic()) / 2

    def now(self) -> float:
        """Seconds since 1970 on the database's clock; never set back."""
        return time.monotonic() + self._ahead

    def _moment(self) -> int:
        return round(self.now() * SECOND)

    def look(self, db: Connection, ask: GateQuery) -> GateAnswer:
        """Whether a call may leave; `note_sent` has to follow where it does, in the same transaction."""
        gate, before_all, _ = self._open(db, ask)
        now, opens = self.now(), gate.opens_at()
        return GateAnswer(gate, before_all, now, opens if opens > now else None)

    def note_sent(self, db: Connection, ask: GateQuery, told: GateAnswer) -> GateAnswer:
        """A call leaves that `look` has let pass."""
        told.gate.sent(told.at, ask.left)
        self._keep(db, ask, told.gate, told.before_all)
        return told

    def change(self, db: Connection, ask: GateQuery, what: Callable[[Gate], object]) -> GateAnswer:
        """Let the row know `what` this process's own gate knows already."""
        gate, before_all, knows = self._open(db, ask)
        if not knows:
            what(gate)
        self._keep(db, ask, gate, before_all)
        return GateAnswer(gate, before_all, self.now())

    def _open(self, db: Connection, ask: GateQuery) -> tuple[Gate, bool, bool]:
        """(the gate that counts, whether it is before all models, whether it is this process's own, which knows all
        that happened here)."""
        recent = gates.c.changed_at > self._moment() - KEPT
        query = select(gates.c.model, gates.c.state).where(
            gates.c.owner == self._owner, gates.c.base_url == ask.base_url, recent
        )
        rows = {row.model: row.state for row in db.execute(query.where(gates.c.model.in_([ask.model, WHOLE_SERVICE])))}
        before_all = WHOLE_SERVICE in rows or ask.before_all is not None
        state = rows.get(WHOLE_SERVICE if before_all else ask.model)
        if state is not None:
            return Gate.read(state), before_all, False
        if ask.before_all is not None:
            return _copy(ask.before_all), True, True
        return Gate(ask.tally) if ask.pace is None else Gate.known(ask.tally, *ask.pace), False, False

    def _keep(self, db: Connection, ask: GateQuery, gate: Gate, before_all: bool) -> None:
        model = WHOLE_SERVICE if before_all else ask.model
        key = {"owner": self._owner, "base_url": ask.base_url, "model": model}
        if before_all and gate.state == "free":  # they were refused together by chance, or are no more
            of_owner = gates.c.owner == self._owner, gates.c.base_url == ask.base_url
            db.execute(delete(gates).where(*of_owner, gates.c.model == model))
            return
        insert = postgresql.insert(gates)
        keep = insert.on_conflict_do_update(
            index_elements=["owner", "base_url", "model"],
            set_={name: insert.excluded[name] for name in ("state", "changed_at")},
        )
        db.execute(keep, key | {"state": gate.written(), "changed_at": self._moment()})


def query_of(lane: Lane, base_url: str, paces: Mapping[tuple[str, str], tuple[float, int]]) -> GateQuery:
    """What a lane has to ask, copied for the writing thread. `paces` are by base URL and model."""
    before_all = lane.service.shared and _copy(lane.service.shared)
    left, tally = len(lane.waiting), replace(lane.service.tally)
    return GateQuery(base_url, lane.model, left, tally, before_all, paces.get((base_url, lane.model)))


def learn(lane: Lane, told: GateAnswer) -> None:
    """Let a lane's gate be as the store says; on the loop."""
    gate, tally = told.gate, lane.service.tally
    for name, value in asdict(gate.tally).items():
        setattr(tally, name, max(value, getattr(tally, name)))
    gate.tally = tally
    if told.before_all:
        lane.service.shared = None if gate.state == "free" else gate
    else:
        lane.gate, lane.service.shared = gate, None


def _copy(gate: Gate) -> Gate:
    """A gate for another thread."""
    return Gate.read(gate.written())

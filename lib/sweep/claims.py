"""How a run gets the cells that it sends: all of them, or those that no other process has taken."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from lib.calls import records
from lib.core.budget import Use
from lib.core.errors import TemperaError
from lib.store.database import Store
from lib.sweep import shared_runs
from lib.sweep.plan import Cell
from lib.sweep.run import SweepRun
from lib.sweep.shared_gates import SharedGates


@dataclass(frozen=True, slots=True)
class Taken:
    """A cell that was tried so often `before`; `recorded` tells whether its call is in the store by now."""

    cell: Cell
    before: int
    recorded: bool = False


class Claims:
    """Gives a run its cells. These are of a sweep that this process runs alone; should another one run it too, the
    record of a call is what claims a cell."""

    shared = False
    """Whether others may take the same cells, so that nothing is sent that the store has not said to be free."""
    gates: SharedGates | None = None
    """What is known of the services' limits, where several processes learn it together."""

    def __init__(self, run: SweepRun) -> None:
        self._run = run

    def take(self, db: Connection, cell: Cell, call_id: str, column: int | None) -> Taken | None:
        """The cell that the call may be made for, in the transaction that records it: `cell`, or where it is shared
        another one of its row, with `column` of that column. None: others have them all."""
        before = self._run.attempts.get(cell.id, 0)
        return Taken(cell, before) if records.attempts_at(db, self._run.owner, cell.id) == before else None

    def check_cap(self, db: Connection, worst: Use) -> None:
        """Raises CapReached where a call that takes so much at worst could carry the sweep over its limit, by what
        other processes have under way; what this one has the run itself has counted."""

    async def renew(self) -> None:
        """Let the run know what other processes have used of the sweep's limit. Raises StoreError."""

    def drop(self, some: Iterable[Cell]) -> None:
        """These are not to be sent after all, by nobody."""

    def failed(self, cell: Cell, error: TemperaError) -> None:
        """A cell could not be sent; others who look at the sweep are told."""


class SharedClaims(Claims):
    """Of a sweep that several processes work on: the store has the cells that are due."""

    shared = True

    def __init__(self, store: Store, run: SweepRun, gates: SharedGates) -> None:
        super().__init__(run)
        self._store, self.gates = store, gates

    def take(self, db: Connection, cell: Cell, call_id: str, column: int | None) -> Taken | None:
        """The next cell of the row that is due."""
        run = self._run
        recorded = records.cell_of(db, run.owner, call_id)
        if recorded is not None:
            # The connection broke when this was committed, and nobody heard of it.
            return Taken(self._cell(db, recorded), 0, recorded=True)
        taken = shared_runs.take(db, run.owner, run.id, cell.row, cell.id, column)
        if taken is None:
            return None
        cell_id, before = taken
        return Taken(cell if cell_id == cell.id else self._cell(db, cell_id), before)

    def check_cap(self, db: Connection, worst: Use) -> None:
        """By the store, which has what all of them took."""
        shared_runs.check_cap(db, self._run.owner, self._run.id, self._run.plan.cap, worst.cost)

    async def renew(self) -> None:
        """What is spent, and what calls of others may cost."""
        run, mine = self._run, self._run.ledger.calls
        if run.plan.cap is None:
            return
        read = partial(shared_runs.cost, owner=run.owner, sweep_id=run.id, but=mine)
        run.ledger.spent, run.ledger.elsewhere = await asyncio.to_thread(self._store.read, read)

    def _cell(self, db: Connection, cell_id: str) -> Cell:
        return shared_runs.cells_of(db, self._run.owner, self._run.id, [cell_id])[0]

    def drop(self, some: Iterable[Cell]) -> None:
        """No process is to send these cells."""
        ids = [cell.id for cell in some]
        if ids:
            self._store.write(partial(shared_runs.drop, owner=self._run.owner, sweep_id=self._run.id, some=ids))

    def failed(self, cell: Cell, error: TemperaError) -> None:
        """It is said where the sweep is looked at."""
        owner, sweep_id, told = self._run.owner, self._run.id, shared_runs.told(error)
        self._store.write(lambda db: shared_runs.fail(db, owner, sweep_id, cell.id, told))

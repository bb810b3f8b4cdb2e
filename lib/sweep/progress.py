"""How a sweep stands: its cells, the newest answer of each, what is left to do, and the overview of it all."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.calls.records import CallRecord
from lib.store.database import Store
from lib.sweep import attempts, findings, report, stops
from lib.sweep import repository as sweeps
from lib.sweep.attempts import Attempts
from lib.sweep.findings import Findings, Looked
from lib.sweep.plan import Cell, slice_of
from lib.sweep.repository import Sweep
from lib.sweep.rule_check import Known
from lib.sweep.stops import Stops

KEPT = 3
COUNTED = 200
DRAWN = 4
"""So many drawings of each answer are kept: in two languages say, or with different words looked for."""


@dataclass(frozen=True)
class Progress:
    """`results` are the newest attempts by cell id, those included that wait to be saved: `unsaved` of them. `left` are
    the cells that are still to be sent: without an attempt that ended `ok` or `error`, and not without need. `spent` is
    what all attempts cost so far, in US dollars, as far as that is known."""

    cells: tuple[Cell, ...]
    results: Mapping[str, CallRecord]
    left: tuple[Cell, ...]
    unsaved: int = 0
    stops: Stops = field(default_factory=Stops)
    spent: float = 0.0
    estimate: Mapping[str, Any] = field(default_factory=dict)
    """What was told before it ran: `typical` and `highest` in US dollars, `seconds`; see `PlanEstimate.to_json`."""
    drawn: dict[Hashable, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)
    """See `drawn_for`; for the next look too."""
    known: dict[str, Looked] = field(default_factory=dict, compare=False, repr=False)
    """What was found about answers that have ended, by call id, for the next look too."""
    checked: Known = field(default_factory=dict, compare=False, repr=False)
    """What rules say of them, for the next look too."""

    def drawn_for(self, kind: Hashable) -> dict[str, Any]:
        """What a page has made of answers that have ended, by cell id, when it looked at them in this way before: to be
        used again, and added to. That of the last few ways is kept."""
        if kind not in self.drawn and len(self.drawn) >= DRAWN:
            self.drawn.pop(next(iter(self.drawn.copy())), None)  # copied: another tab may look meanwhile
        return self.drawn.setdefault(kind, {})

    @cached_property
    def models(self) -> Mapping[int, str]:
        """The models by the row in which their answers stand."""
        return {cell.row: cell.model for cell in self.cells}

    @cached_property
    def spared(self) -> frozenset[str]:
        """The ids of cells for which another column stands, as their model takes no temperature."""
        return frozenset(cell.id for cell in self.cells if self.stops.spares(cell, self.results.get(cell.id)))

    @cached_property
    def stopped(self) -> frozenset[str]:
        """The ids of cells that were not sent because their model is not there."""
        return frozenset(cell.id for cell in self.cells if self.stops.stops(cell, self.results.get(cell.id)))

    @cached_property
    def failed(self) -> tuple[Cell, ...]:
        """The cells whose newest attempt failed, and those not sent because their model is not there."""
        wrong = {id for id, call in self.results.items() if call.state == "error"} | self.stopped
        return tuple(cell for cell in self.cells if cell.id in wrong - self.spared)

    def failed_ids(self, failed_here: Collection[str] = ()) -> frozenset[str]:
        """The ids of the cells that `counts` counts as failed."""
        return frozenset(cell.id for cell in self.failed).union(failed_here)

    @cached_property
    def asked(self) -> int:
        """How many answers there are to be: one for each cell that no other one stands for."""
        return len(self.cells) - len(self.spared)

    def counts(self, failed_here: Collection[str] = ()) -> tuple[int, int, int]:
        """(done, failed, asked) of a sweep. `failed_here` are the ids of cells that a run could not send, of which
        nothing is recorded."""
        done = sum(call.state == "ok" for call in self.results.values())
        unsent = sum(id not in self.results for id in failed_here)
        return done, len(self.failed) + unsent, self.asked

    def of_service(self, name: str) -> tuple[Cell, ...]:
        """The cells of one service."""
        return tuple(cell for cell in self.cells if cell.model.partition("/")[0] == name and cell.id not in self.spared)

    def paused(self, name: str) -> tuple[Cell, ...]:
        """What is to be sent once a paused service goes on: its missing cells, and the ones that were refused."""
        missing = {cell.id for cell in self.left}
        refused = {id for id, call in self.results.items() if call.error_kind in stops.OF_A_SERVICE}
        return tuple(cell for cell in self.of_service(name) if cell.id in missing | refused)

    @property
    def may_be_billed_twice(self) -> int:
        """How many of `left` were cut or stopped, and may be billed a second time."""
        return sum(cell.id in self.results and self.results[cell.id].billed != "no" for cell in self.left)

    @property
    def ended(self) -> bool:
        """Whether no call is under way."""
        return all(call.state != "started" for call in self.results.values())

    def slice(self, input: int, variant: int) -> "Progress":
        """How the cells of one input and one variant stand."""
        if (input, variant) not in self._slices:
            self._slices[input, variant] = replace(self, cells=tuple(slice_of(self.cells, input, variant)))
        return self._slices[input, variant]

    @cached_property
    def _slices(self) -> "dict[tuple[int, int], Progress]":
        return {}

    @cached_property
    def findings(self) -> Findings:
        """What is odd about the answers, and which are ahead; see `findings.find`."""
        return findings.find(self.cells, self.results, self.known)

    @cached_property
    def overview(self) -> pd.DataFrame:
        """One row per model and temperature; see `report.overview`."""
        return report.overview(self.cells, self.results)


@dataclass(frozen=True, slots=True)
class _Kept:
    changes: int
    attempts: Attempts
    progress: Progress


class ProgressReader:
    """Reads how sweeps stand; those looked at last are kept, and only what has changed since is read."""

    def __init__(self, store: Store, outcomes: OutcomeWriter) -> None:
        self._store, self._outcomes = store, outcomes
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._counted: OrderedDict[tuple[str, str], tuple[object, Sweep]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, owner: str, sweep_id: str) -> Progress:
        """How an owner's sweep stands; without cells where this owner has none of that id."""
        # Asked before the cells are read: what changes in between makes this old, and the next look reads again.
        changes, key = self._outcomes.changes, (owner, sweep_id)
        with self._lock:
            kept = self._kept.get(key)
        before = kept.attempts if kept else None
        found = self._store.read(lambda db: attempts.read(db, owner, sweep_id, before))
        if kept is not None and kept.attempts is found and kept.changes == changes:
            return kept.progress
        as_big = kept is not None and len(kept.progress.cells) == len(found.cells)
        estimate = kept.progress.estimate if kept and as_big else self._estimate(owner, sweep_id)
        held = self._outcomes.of_sweep(owner, sweep_id)
        progress = _progress(found, held, estimate, kept.progress if kept else None)
        with self._lock:
            # Taken out and put in, so that the one looked at last is the last to go.
            self._kept.pop(key, None)
            if progress.cells:
                self._kept[key] = _Kept(changes, found, progress)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return progress

    def counted(self, owner: str, sweep: Sweep, failed_here: Collection[str] = ()) -> Sweep:
        """A listed sweep with the counts that its own page shows: a row whose model is not there has failed as a whole,
        and of a model that takes no temperature one column is asked."""
        if sweep.done == sweep.total:
            return sweep
        changes, key = self._outcomes.changes, (owner, sweep.id)
        mark = (changes, len(failed_here), sweep, self._store.read(lambda db: attempts.tally_of(db, owner, sweep.id)))
        with self._lock:
            counted, is_kept = self._counted.get(key), key in self._kept
        if counted is not None and counted[0] == mark:
            return counted[1]
        # Of one whose page is open what has changed is read, for the page; of any other no answers.
        progress = self.of(owner, sweep.id) if is_kept else self._without_answers(owner, sweep.id)
        done, failed, asked = progress.counts(failed_here)
        found = replace(sweep, done=done, failed=failed, asked=asked)
        with self._lock:
            self._counted.pop(key, None)
            self._counted[key] = (mark, found)
            while len(self._counted) > COUNTED:
                self._counted.popitem(last=False)
        return found

    def _without_answers(self, owner: str, sweep_id: str) -> Progress:
        found = self._store.read(lambda db: attempts.read(db, owner, sweep_id, answers=False))
        return _progress(found, self._outcomes.of_sweep(owner, sweep_id), {}, None)

    def _estimate(self, owner: str, sweep_id: str) -> Mapping[str, Any]:
        return self._store.read(lambda db: sweeps.estimate_of(db, owner, sweep_id))


def _progress(
    found: Attempts, held: Mapping[str, Outcome], estimate: Mapping[str, Any], before: Progress | None
) -> Progress:
    """How a sweep stands. What was made of its answers `before` is used again: of 2,000 few have changed since."""
    results, done = dict(found.newest), found.done
    for cell_id, record in held.items():
        earlier = results.get(cell_id)
        # What waits to be saved is newer than its row, which still says `started`.
        results[cell_id] = record.as_record(earlier.attempt if earlier else 1)
        if record.reply.state in sweeps.DONE:
            done |= {cell_id}
    stop = stops.of(found.cells, results)
    left = [cell for cell in found.cells if cell.id not in done]
    left = [
        cell
        for cell in left
        if not stop.spares(cell, results.get(cell.id)) and not stop.stops(cell, results.get(cell.id))
    ]
    return Progress(
        found.cells,
        results,
        tuple(left),
        len(held),
        stop,
        found.tally.spent,
        estimate,
        before.drawn if before else {},
        before.known if before else {},
        before.checked if before else {},
    )

"""How a sweep stands, read as it goes on: each look tells what a first look would."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from lib.calls import records
from lib.calls.outcome_writer import OutcomeWriter
from lib.core.reply import Reply, State
from lib.core.request import Call
from lib.store.database import Store
from lib.store.schema import calls
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import Progress, ProgressReader
from tests.examples import examples
from tests.made_sweeps import odd_answer

PLAN = Plan("tea", ("fake/a", "fake/b"), (0.0, 0.7))
ENDS = tuple(state for state in get_args(State) if state not in ("started", "interrupted"))
WAYS = (
    "start",
    "start",
    "say more",
    "end",
    "end",
    "break off",
    "come late",
    "cost something else",
    "go",
    "grow",
    "look",
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    """A store that all examples share, each with a sweep of its own."""
    store = Store.in_memory()
    yield store
    store.close()


class World:
    """A sweep in which anything happens."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.rng, self.sweep = store, Random(seed), secrets.token_hex(16)
        self.cells = list(PLAN.cells(self.sweep))
        self.calls: dict[str, tuple[Cell, State]] = {}
        store.write(lambda db: sweeps.add_plan(db, "ann", "s", self.sweep, PLAN)).result()
        self.grow()

    def do(self, what: str) -> None:
        """Let it happen to any cell or call that it can happen to."""
        states = {
            "end": ("started",),
            "say more": ("started",),
            "break off": ("started",),
            "come late": ("interrupted",),
            "go": ENDS,
        }
        fit = [id for id, (_, state) in self.calls.items() if state in states.get(what, ENDS)]
        chosen = self.rng.choice(fit) if fit else None
        if what == "grow":
            self.grow()
        elif what == "start" and self.stored():
            self.start(self.rng.choice(self.stored()))
        elif chosen is not None and what != "look":
            self.store.write(lambda db: self.change(db, what, chosen)).result()

    def stored(self) -> list[Cell]:
        return self.store.read(lambda db: sweeps.cells_of(db, "ann", self.sweep))

    def grow(self) -> None:
        some = [self.cells.pop() for _ in range(min(2, len(self.cells)))]
        self.store.write(lambda db: sweeps.add_cells(db, "ann", self.sweep, some)).result()

    def start(self, cell: Cell) -> None:
        request = PLAN.request(cell.model.partition("/")[2], cell.temperature)
        call = Call(secrets.token_hex(16), "ann", "s", "sweep", "fake", request, cell.id, sweep_id=self.sweep)
        self.store.write(lambda db: records.start_call(db, call, "made")).result()
        self.calls[call.id] = (cell, "started")

    def change(self, db: Connection, what: str, id: str) -> None:
        cell, state = self.calls[id]
        if what in ("end", "come late"):
            state = self.rng.choice(ENDS)
            reply = self.reply(cell, state)
            records.finish_call(db, id, reply, late=what == "come late")
        elif what == "say more":
            records.checkpoint(db, id, self.reply(cell, "started"))
        elif what == "break off":
            state = "interrupted"
            db.execute(update(calls).where(calls.c.id == id).values(state=state, billed="unknown"))
        elif what == "cost something else":
            db.execute(update(calls).where(calls.c.id == id).values(cost=self.rng.random()))
        else:
            records.delete_calls(db, "ann", [id])
            del self.calls[id]
            return
        self.calls[id] = (cell, state)

    def reply(self, cell: Cell, state: State) -> Reply:
        place = {"column": self.rng.randrange(3), "repeat": self.rng.randrange(3)}
        return replace(odd_answer(replace(cell, **place)), state=state)


def told(progress: Progress) -> dict[str, object]:
    """All that a page makes of it."""
    return {
        "cells": progress.cells,
        "results": progress.results,
        "left": progress.left,
        "counts": progress.counts(),
        "spent": pytest.approx(progress.spent),
        "findings": progress.findings,
        "ended": progress.ended,
        "stops": progress.stops,
    }


@pytest.mark.row("S6", "S11")
@settings(max_examples=examples(100), deadline=None)
@given(ways=st.lists(st.sampled_from(WAYS), min_size=15, max_size=30), seed=st.integers(0, 1_000))
def test_each_look_at_a_running_sweep_tells_what_a_first_look_would(memory: Store, ways: list[str], seed: int) -> None:
    outcomes = OutcomeWriter(memory)
    world, reader = World(memory, seed), ProgressReader(memory, outcomes)
    for way in ways:
        world.do(way)
        # Not after each step: what changes between two looks comes in one piece.
        if way == "look" or world.rng.random() < 0.5:
            fresh = ProgressReader(memory, outcomes).of("ann", world.sweep)
            assert told(reader.of("ann", world.sweep)) == told(fresh)
    assert told(reader.of("ann", world.sweep)) == told(ProgressReader(memory, outcomes).of("ann", world.sweep))

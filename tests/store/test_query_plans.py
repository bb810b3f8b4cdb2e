"""How SQLite finds what a page asks for: by the rows that are wanted, however long their owner's history has grown."""

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from lib.calls import records
from lib.calls.outcome_writer import OutcomeWriter
from lib.core.request import Call
from lib.store.database import Store
from lib.store.schema import calls
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import ProgressReader
from tests.made_sweeps import MODELS, made_answer, make_sweep

OWNER = "ann"
PLAN = Plan("Write 60 words for a steel thermos.", ("fake/m",), (0.0,))
WHOLE_HISTORY = re.compile(
    r"SCAN calls\b(?! USING INDEX calls_uncounted)|SEARCH calls USING (?:COVERING )?INDEX \w+ \(owner=\?\)"
)
"""A step of a plan that goes through all calls of an owner, and not only through the last ones."""


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The statements that SQLite was asked from now on, with their values."""
    statements: list[str] = []

    def listen(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(statements.append)

    event.listen(Engine, "connect", listen)
    yield statements
    event.remove(Engine, "connect", listen)


@pytest.fixture
def store(asked: list[str], tmp_path: Path) -> Iterator[Store]:
    """An open store whose statements are heard."""
    opened = Store.open(f"sqlite:///{tmp_path / 'tempera.db'}")
    yield opened
    opened.close()


def some_started(store: Store, sweep: str) -> list[str]:
    """Begin the calls of all cells that were not sent; their ids."""

    def start(db: Any, cell: Cell) -> str:
        request = PLAN.request("m", cell.temperature)
        call = Call(secrets.token_hex(16), OWNER, "s", "sweep", "fake", request, cell.id, sweep_id=sweep)
        records.start_call(db, call, "here")
        return call.id

    cells = store.read(lambda db: sweeps.cells_of(db, OWNER, sweep))
    left = cells[-len(cells) // 2 :]
    return [store.write(lambda db, cell=cell: start(db, cell)).result() for cell in left]  # type: ignore[misc]


def first_half(cell: Cell) -> Any:
    """An answer for the first models only."""
    return made_answer(cell) if cell.row < len(MODELS) // 2 else None


def test_no_look_at_a_sweep_and_nothing_that_is_removed_is_sought_in_the_whole_history(
    store: Store, asked: list[str], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """With 16 answers under way: from a dozen ids on SQLite would go through all of an owner's calls instead."""
    sweep = make_sweep(store, MODELS, (0, 1, 2), 1, first_half, OWNER)
    reader = ProgressReader(store, OutcomeWriter(store))
    begun = some_started(store, sweep)
    ids = store.read(lambda db: list(db.execute(select(calls.c.id).where(calls.c.owner == OWNER)).scalars()))

    def goes_on() -> None:
        answer = made_answer(next(PLAN.cells(sweep)))
        store.write(lambda db: records.finish_call(db, begun[0], answer)).result()
        reader.of(OWNER, sweep)

    acts: dict[str, Callable[[], object]] = {
        "the first look": lambda: reader.of(OWNER, sweep),
        "a later one": goes_on,
        "the list": lambda: store.read(lambda db: sweeps.sweeps_of(db, OWNER)),
        "its cost": lambda: store.read(lambda db: sweeps.spent(db, OWNER, sweep)),
        "texts are forgotten": lambda: store.write(lambda db: records.forget_texts(db, OWNER, ids[:16])).result(),
        "calls are removed": lambda: store.write(lambda db: records.delete_calls(db, OWNER, ids[:16])).result(),
    }
    with sqlite3.connect(tmp_path / "tempera.db") as database:
        for name, act in acts.items():
            asked.clear()
            act()
            of_calls = [one for one in asked if re.search(r"\b(?:FROM|JOIN|UPDATE) calls\b", one)]
            with subtests.test(name):
                assert of_calls
                assert not [(one, step) for one in of_calls for step in plan(database, one) if sought_in_all(step)]


def plan(database: sqlite3.Connection, statement: str) -> list[str]:
    return [step for *_, step in database.execute(f"EXPLAIN QUERY PLAN {statement}")]


def sought_in_all(step: str) -> bool:
    return WHOLE_HISTORY.search(step) is not None

"""Sweeps with their answers, ratings and decisions, made without a store or a service, for the tests of what is told
of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.calls.records import CallRecord
from lib.core.i18n import Texts
from lib.core.reply import Choice, Usage
from lib.sweep.decision import NOTHING_DECIDED, Decision
from lib.sweep.plan import Cell, Plan
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.sweep.study import Study

STARTED_AT = 1_764_360_000_000_000
ENGLISH = Texts(str, lambda one, many, count: one if count == 1 else many)
PLAN = Plan("Praise a thermos.", ("apiyi/dear", "apiyi/cheap"), (0.0, 0.7), system="Be brief.", repeats=2)


def cell_id(sweep_id: str, body: Mapping[str, Any], *place: int) -> str:
    """How a cell is named, written plainly: `place` is its repeat, and its input and variant where one of these is not
    the first."""
    canonical = json.dumps([sweep_id, body, *place], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def an_answer(cell: Cell, text: str = "Keeps tea hot.", **facts: Any) -> CallRecord:
    """The call of a cell that has ended; by its cell's id."""
    model = cell.model.partition("/")[2]
    usual: dict[str, Any] = {
        **dict(id=f"call-{cell.id}", owner="local", session="s", page="sweep", endpoint="apiyi", cell_id=cell.id),
        **dict(attempt=1, model=model, model_answered=model, state="ok", usage=Usage(9, 12, 0, 0, "reported")),
        **dict(started_at=STARTED_AT, seconds=1.5, first_token_seconds=0.5, finish_reason="stop", error_kind=""),
        **dict(request_id="", billed="yes", attempts=1, cost=0.0031, cost_source="list", params_asked={}),
        **dict(params_sent={}, error_text="", error_record={}, choices=(Choice([text], [], "stop"),)),
    }
    return CallRecord(**(usual | facts))


def a_study(
    plan: Plan = PLAN,
    answer: Callable[[Cell], CallRecord | None] = an_answer,
    stars: Callable[[Cell], int | None] = lambda cell: None,
    pick: tuple[int, int] | None = None,
    rules: Sequence[Rule] = (),
) -> Study:
    """A sweep whose cells have these answers and stars; `pick` is row and column of what was chosen."""
    cells = tuple(plan.cells("sweep"))
    results = {cell.id: call for cell in cells if (call := answer(cell)) is not None}
    rated = {results[cell.id].id: Rating(given) for cell in cells if (given := stars(cell)) and cell.id in results}
    chosen = next((cell.id for cell in cells if (cell.row, cell.column) == pick), None)
    decision = replace(NOTHING_DECIDED, pick=chosen, rules=tuple(rules))
    return Study("Thermos", STARTED_AT, plan, cells, results, rated, decision)


def decided(study: Study, **changes: Any) -> Study:
    """The same study with something else decided."""
    return replace(study, decision=Decision(**changes))

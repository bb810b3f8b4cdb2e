"""Opens a sweep's JSON file again: its plan with the answers, and what was said of them.

What comes in was made elsewhere: its calls count in no budget, each once in Usage, and a file that is opened again
finds its sweep there. It sets texts and numbers only: no address, no key, no path, no limit. Images, sound and calls of
tools stay behind.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection

from lib.calls import imported, records
from lib.calls.imported import Dollars, Seconds, Tokens, Word
from lib.calls.records import IMPORTED
from lib.core.errors import InvalidInput
from lib.core.reply import Choice, CostSource, Reply, Usage, UsageSource
from lib.core.request import Call
from lib.store.database import Store
from lib.sweep import decision, ratings, setup_file
from lib.sweep import repository as sweeps
from lib.sweep.decision import ReportOptions
from lib.sweep.plan import Cell, Plan
from lib.sweep.ratings import PERSON, Rating
from lib.sweep.rules import MOST_RULES, Rule

MOST_MICROSECONDS = 4_102_444_800_000_000
"""The year 2100."""
Moment = Annotated[int, Field(ge=0, le=MOST_MICROSECONDS)]
Index = Annotated[int, Field(ge=0)]
Where = tuple[int, int, int, int, int]
"""Row, column, input, variant and repeat, from 0."""
NOWHERE: Where = (-1, -1, -1, -1, -1)
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]


class _Choice(BaseModel):
    text: str = ""
    reasoning: str = ""
    finish_reason: Word | None = None


class _Tokens(BaseModel):
    prompt: Tokens = None
    completion: Tokens = None
    reasoning: Tokens = None
    cached: Tokens = None
    source: UsageSource = "unknown"


class _Answer(BaseModel):
    id: Id | None = None  # the first versions wrote none
    state: Literal["ok", "partial", "error", "cancelled", "interrupted"]
    endpoint: Word = ""
    model_answered: Word = ""
    started_at: Moment = 0
    seconds: Seconds = None
    first_token_seconds: Seconds = None
    cost: Dollars = None
    cost_source: CostSource = ""
    error_kind: Word = ""
    error_text: str = ""
    tokens: _Tokens = _Tokens()
    choices: list[_Choice] = []


class _Cell(BaseModel):
    id: Id
    row: Index
    column: Index
    repeat: Index
    input: Index = 0
    variant: Index = 0
    answer: _Answer | None = None
    rating: Rating | None = None
    judged: dict[Word, Rating] = {}

    @property
    def place(self) -> Where:
        return self.row, self.column, self.input, self.variant, self.repeat


class _Decision(BaseModel):
    pick: str | None = None
    rules: Annotated[list[Rule], Field(max_length=MOST_RULES)] = []
    report: ReportOptions | None = None


class _Rest(BaseModel):
    """What a sweep's file has besides its plan."""

    title: str = ""
    created_at: Moment = 0
    decision: _Decision = _Decision()
    cells: Annotated[list[_Cell], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """What a file holds: a plan that can be run, and all the rest."""

    plan: Plan
    rest: _Rest


def read(file: bytes) -> AnswerFile | None:
    """The sweep in a file; None for a set-up without answers. Raises InvalidInput for what is neither."""
    plan = setup_file.read(file)
    value = json.loads(file.decode("utf-8-sig"))
    if "cells" not in value:
        return None
    try:
        rest = _Rest.model_validate(value)
        for cell in rest.cells:
            for said in (cell.rating, *cell.judged.values()):
                if said is not None:
                    said.checked()
        for rule in rest.decision.rules:
            rule.checked()
    except ValidationError:
        raise InvalidInput(setup_file.NOT_ONE) from None
    return AnswerFile(plan.checked(), rest)


def bring_in(store: Store, owner: str, file: AnswerFile) -> str:
    """Store the sweep of a file for `owner`; its id. One that the owner has already, deleted or not, is not changed."""
    first = file.rest.cells[0].id
    there = store.read(lambda db: sweeps.of_cell(db, owner, first))
    sweep_id = there or imported.id_for(owner, first)
    if there or store.read(lambda db: sweeps.plan_of(db, owner, sweep_id)) is not None:
        store.write(lambda db: sweeps.undelete(db, owner, sweep_id)).result()
        return sweep_id
    cells = list(file.plan.cells(sweep_id))
    found = {cell.place: cell for cell in file.rest.cells}
    store.write(lambda db: sweeps.add_plan(db, owner, IMPORTED, sweep_id, file.plan)).result()
    # The first cell, which tells that all are there, comes last.
    for piece in sweeps.in_pieces(cells):
        add = partial(_add, owner=owner, sweep_id=sweep_id, file=file, cells=piece, found=found)
        store.write(add).result()
    store.write(lambda db: _decide(db, owner, sweep_id, file, cells)).result()
    return sweep_id


def _add(
    db: Connection,
    owner: str,
    sweep_id: str,
    file: AnswerFile,
    cells: Sequence[Cell],
    found: Mapping[Where, _Cell],
) -> None:
    sweeps.add_cells(db, owner, sweep_id, cells)
    for cell in cells:
        kept = found.get((cell.row, cell.column, cell.input, cell.variant, cell.repeat))
        if kept is None or kept.answer is None:
            continue
        call_id = _add_call(db, owner, sweep_id, file.plan, cell, kept.answer)
        raters = {**kept.judged, **({PERSON: kept.rating} if kept.rating else {})}
        for rater, said in raters.items():
            ratings.rate(db, owner, call_id, said, rater)


def _add_call(db: Connection, owner: str, sweep_id: str, plan: Plan, cell: Cell, answer: _Answer) -> str:
    """Store an answer; under which id. Where the owner has its call without a text, that one has its text from now on
    and is not counted again."""
    endpoint, _slash, model = cell.model.partition("/")
    request = plan.request(model, cell.temperature, cell.input, cell.variant)
    # As Usage names the calls of a file, so that whichever of the two comes second finds the other's.
    known = [answer.id, imported.id_for(owner, answer.id)] if answer.id else []
    id = next(one for one in (*known, imported.id_for(owner, cell.id)) if not records.is_stored(db, one))
    call = Call(id, owner, IMPORTED, "sweep", answer.endpoint or endpoint, request, cell.id, sweep_id=sweep_id)
    reply = _reply(answer)
    for one in known:
        if records.give_texts(db, call, one, reply):
            return one
    records.start_call(db, call, IMPORTED, answer.started_at or None)
    records.finish_call(db, id, reply)
    return id


def _reply(answer: _Answer) -> Reply:
    tokens = answer.tokens
    reply = Reply(
        choices=[Choice([one.text], [one.reasoning], one.finish_reason) for one in answer.choices],
        usage=Usage(tokens.prompt, tokens.completion, tokens.reasoning, tokens.cached, tokens.source),
        model=answer.model_answered,
        state=answer.state,
        seconds=answer.seconds or 0.0,
        first_token_seconds=answer.first_token_seconds,
        error_kind=answer.error_kind,
        error_text=answer.error_text,
        billed="unknown",
    )
    reply.cost, reply.cost_source = answer.cost, answer.cost_source
    return reply


def _decide(db: Connection, owner: str, sweep_id: str, file: AnswerFile, cells: Sequence[Cell]) -> None:
    """The title, the date, and what was decided."""
    decided = file.rest.decision
    sweeps.rename(db, owner, sweep_id, file.rest.title)
    places = {cell.id: cell.place for cell in file.rest.cells}
    named = {(cell.row, cell.column, cell.input, cell.variant, cell.repeat): cell.id for cell in cells}
    decision.pick(db, owner, sweep_id, named.get(places.get(decided.pick or "", NOWHERE)))
    decision.set_rules(db, owner, sweep_id, decided.rules)
    if decided.report is not None:
        decision.set_report(db, owner, sweep_id, decided.report)

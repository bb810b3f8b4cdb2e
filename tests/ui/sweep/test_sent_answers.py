"""What goes to the browser of a sweep's answers, and what does not go again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.calls import records
from lib.calls.outcome_writer import OutcomeWriter
from lib.calls.records import CallRecord
from lib.core.request import Call, ChatRequest, Message
from lib.store.database import Store
from lib.sweep.filters import Filter
from lib.sweep.plan import Cell
from lib.sweep.progress import ProgressReader
from lib.ui.sweep.answer_data import Answers
from lib.ui.sweep.sent_answers import Sent, Stock, stock_for
from lib.ui.sweep.view_state import GRID, Place
from lib.visitor import LOCAL_OWNER
from tests.made_sweeps import MODELS, made_answer, make_sweep

PLACES = [f"{row}_{column}_0" for row in range(12) for column in range(6)]
CELL = st.fixed_dictionaries(
    {"state": st.sampled_from(["missing", "running", "ok", "error"]), "html": st.text(max_size=9)}
)
CHANGES = st.dictionaries(st.sampled_from(PLACES), CELL, max_size=40)


def drawn(stock: Stock, sent: dict[str, Any]) -> Any:
    """What the component makes of the two messages."""
    [version, cells] = stock.packed.split(b"\n", 1)
    assert sent["base"] == version.decode()
    return json.loads(cells) | sent["changed"]


@pytest.mark.row("S6", "S15")
@given(st.lists(CHANGES, max_size=12))
def test_whatever_changes_the_browser_draws_the_cells_as_they_are(steps: list[dict[str, Any]]) -> None:
    cells: dict[str, Any] = {place: {"state": "missing", "html": ""} for place in PLACES}
    stock = None
    for changes in steps:
        cells = cells | changes
        stock = stock_for(stock, ("sweep",), cells)
        assert drawn(stock, stock.since(cells)) == cells


@pytest.mark.row("S6")
def test_a_running_sweep_sends_what_changed_and_now_and_then_all_of_it() -> None:
    cells: dict[str, Any] = {place: {"state": "missing", "html": ""} for place in PLACES}
    stocks, sizes = [stock_for(None, ("sweep",), cells)], []
    for done in range(len(PLACES)):
        cells = {**cells, PLACES[done]: {"state": "ok", "html": "an answer " * 40}}
        cells |= {place: {"state": "running", "html": f"word {done}"} for place in PLACES[done + 1 : done + 17]}
        stocks.append(stock_for(stocks[-1], ("sweep",), cells))
        sizes.append(len(stocks[-1].since(cells)["changed"]))
        assert drawn(stocks[-1], stocks[-1].since(cells)) == cells
    assert len({one.version for one in stocks}) <= 4, "all of them went a few times, not with each of 72 answers"
    assert max(sizes) <= 24 + 16
    other = stock_for(stocks[-1], ("another sweep",), cells)
    assert other is not stocks[-1]


@pytest.mark.row("S6")
def test_a_look_makes_anew_only_the_cells_that_have_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep of 2,000 answers is looked at each other second, and with each press."""
    reader, made, under_way = ProgressReader(store, OutcomeWriter(store)), list[str | None](), list[Cell]()
    as_it_is = Answers._ended

    def counted(answers: Answers, call: CallRecord, *more: Any) -> dict[str, Any]:
        made.append(call.cell_id)
        return as_it_is(answers, call, *more)

    def all_but_one(cell: Cell) -> Any:
        if (cell.row, cell.column, cell.repeat) != (2, 1, 1):
            return made_answer(cell)
        under_way.append(cell)
        return None

    def look() -> Any:
        progress = reader.of(LOCAL_OWNER, sweep)
        return Answers(progress, None, {}, Filter(), GRID, Place(), dict(enumerate(MODELS[:3])), "en").cells

    sweep = make_sweep(store, MODELS[:3], (0, 1), 2, all_but_one)
    monkeypatch.setattr(Answers, "_ended", counted)
    first, all_made = look(), len(made)
    again, none_made = look(), len(made) - all_made
    assert (all_made, none_made) == (11, 0)
    assert all(again[place] is cell for place, cell in first.items() if cell["state"] == "ok")
    answer(store, sweep, under_way[0])
    last = look()
    anew = [place for place, cell in last.items() if cell is not first[place]]
    assert anew == [place for place, cell in last.items() if cell != first[place]]
    assert "2_1_1" in anew and len(made) - all_made == len(anew) < 4, "itself, and whose badge it took"


@pytest.mark.row("S6", "S13")
def test_between_presses_only_what_has_changed_is_sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, late = ProgressReader(store, OutcomeWriter(store)), list[Cell]()
    remembered = Sent()
    monkeypatch.setattr("streamlit.session_state", {})

    def all_but_some(cell: Cell) -> Any:
        if cell.column == 0:
            return made_answer(cell)
        late.append(cell)
        return None

    def look(send: Any, beside: Any = "nothing") -> tuple[dict[str, Any], bytes]:
        progress = reader.of(LOCAL_OWNER, sweep)
        found = Answers(progress, None, {}, Filter(), GRID, Place(), dict(enumerate(MODELS[:10])), "en")
        message, stock = send(("sweep",), found, beside)
        return json.loads(message), stock

    sweep = make_sweep(store, MODELS[:10], (0, 1), 3, all_but_some)
    first, stock = look(remembered.whole)
    assert stock and not first["changed"] and "since" not in first
    since, nothing = look(remembered.since)
    assert (since["changed"], since["base"], since["stale"], nothing) == ({}, first["base"], False, b"")
    assert look(remembered.since) == (since, b""), "the same message again while nothing has changed"
    answer(store, sweep, late[0])
    since, nothing = look(remembered.since)
    place = f"{late[0].row}_1_{late[0].repeat}"
    assert place in since["changed"] and len(since["changed"]) < 4 and nothing == b""
    assert since["order"][1] > first["order"][1]
    assert look(remembered.since, "a new button")[0]["stale"], "the rest of the page is to be drawn with it"
    assert "since" not in look(remembered.whole, "a new button")[0]
    assert not look(remembered.since, "a new button")[0]["stale"]
    for cell in late[1:27]:
        answer(store, sweep, cell)
    since, stock = look(remembered.since)
    assert since["base"] != first["base"] and stock.startswith(since["base"].encode()), "many: all is put together anew"
    assert look(remembered.since)[1] == stock, "and stays, for a browser that missed it"


def answer(store: Store, sweep: str, cell: Cell) -> None:
    """Record the answer of a cell that had none."""
    request = ChatRequest(cell.model.partition("/")[2], (Message(role="user", content="x"),))
    call = Call(f"late-{cell.id}", LOCAL_OWNER, "s", "sweep", "fake", request, cell.id, sweep_id=sweep)
    store.write(lambda db: records.start_call(db, call, "made")).result()
    store.write(lambda db: records.finish_call(db, call.id, made_answer(cell))).result()

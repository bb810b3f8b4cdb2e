"""What goes to the browser of a sweep's answers, and what does not go again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ui.sweep.sent_answers import Stock, stock_for

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

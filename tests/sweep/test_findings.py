"""Marks, badges and filters of a sweep's answers."""

from dataclasses import replace

import pytest

from lib.calls.records import CallRecord
from lib.core.reply import Choice, Usage
from lib.sweep.filters import Filter, kinds_of
from lib.sweep.findings import find
from lib.sweep.plan import Cell
from lib.sweep.ratings import Rating

GOOD = CallRecord(
    **dict(id="c", owner="me", session="s", page="sweep", endpoint="fake", cell_id="", attempt=1, model="m"),
    **dict(model_answered="m", state="ok", usage=Usage(), started_at=0, seconds=1.0, first_token_seconds=None),
    **dict(finish_reason="stop", error_kind="", request_id="", billed="yes", attempts=1, cost=0.01, cost_source="list"),
    **dict(params_asked={}, params_sent={}, error_text="", error_record={}),
)  # type: ignore[arg-type]


def said(text: str, **facts: object) -> CallRecord:
    choice = Choice([text], [], "stop", tuple(facts.pop("parts", ())))  # type: ignore[arg-type, call-overload]
    return replace(GOOD, choices=(choice,), **facts)  # type: ignore[arg-type]


def cell(name: str, column: int = 0, repeat: int = 0, row: int = 0) -> Cell:
    return Cell(name, row, column, repeat, f"fake/m{row}", float(column))


@pytest.mark.row("S30")
def test_what_is_odd_is_marked(subtests: pytest.Subtests) -> None:
    for name, call, marks in [
        ("good", said("Tea."), ()),
        ("cut at the limit", said("Tea", finish_reason="length"), ("cut",)),
        ("broken off", said("Tea", state="partial"), ("cut",)),
        ("blank", said(" \n "), ("blank",)),
        ("no text, but an image", said("", parts=[{"type": "image", "url": "data:,"}]), ()),
        ("declined", said("No.", parts=[{"type": "refusal"}]), ("refused",)),
        ("stopped", said("Tea", finish_reason="content_filter"), ("filtered",)),
        ("one temperature", said("Tea", params_asked={"temperature": 1}), ("fixed",)),
        ("failed", replace(GOOD, state="error"), ()),
        ("running", replace(GOOD, state="started"), None),
    ]:
        with subtests.test(name):
            assert find([cell("a")], {"a": call}).marks.get("a") == marks


@pytest.mark.row("S30")
def test_an_answer_that_was_given_before_is_marked_and_one_that_the_temperature_changed_is_known() -> None:
    cells = [cell("a"), cell("b", repeat=1), cell("c", column=1), cell("d", column=1, repeat=1), cell("e", row=1)]
    texts = ["Tea.", "Tea. ", "Milk.", "Tea.", "Tea."]
    found = find(cells, {one.id: said(text) for one, text in zip(cells, texts, strict=True)})

    assert {id: first.id for id, first in found.same.items()} == {"b": "a", "d": "a"}, (
        "of another model it is no repeat"
    )
    assert found.different == {"c"}


@pytest.mark.row("S17")
def test_badges_go_to_the_only_best_and_to_nobody_on_a_tie(subtests: pytest.Subtests) -> None:
    two = [cell("a"), cell("b", repeat=1)]
    for name, one, other, badges in [
        ("all", said("Tea."), said("Tea is good.", seconds=2.0, cost=0.02), ("fastest", "cheapest", "shortest")),
        ("a tie as it is shown", said("Tea."), said("Milk!", seconds=1.04, cost=0.01004), None),
        ("no race", said("Tea."), replace(GOOD, state="error"), None),
        ("a half is no answer", said("Tea.", seconds=3.0), said("Te", finish_reason="length"), None),
        ("words and characters are not compared", said("热茶保温杯"), said("Hot tea all day, for you."), None),
        ("of characters", said("保温杯热茶"), said("不锈钢保温杯，热"), ("shortest",)),
        ("no price is not cheap", said("Tea is", seconds=3.0, cost=None), said("Tea."), ("fastest", "shortest")),
    ]:
        with subtests.test(name):
            found = find(two, {"a": one, "b": other}).badges
            assert found == ({} if badges is None else {("b" if "no price" in name else "a"): badges})


@pytest.mark.row("S19")
def test_a_filter_keeps_what_is_looked_for(subtests: pytest.Subtests) -> None:
    cells = [cell("a"), cell("b", column=1), cell("c", row=1), cell("d", column=1, row=1)]
    cells += [cell("e", row=2), cell("f", column=2, row=2)]
    results = {
        "a": said("Green TEA."),
        "b": said("  "),
        "c": replace(GOOD, state="error"),
        "d": said("Milk.", id="rated"),
        "e": said("Oat", finish_reason="length"),
        "f": said("Oat"),
    }
    findings, ratings = find(cells, results), {"rated": Rating(4)}
    for kept, looked_for in [
        ("abcdef", Filter()),
        ("a", Filter(text="tea")),
        ("c", Filter(kinds=("failed",))),
        ("b", Filter(kinds=("odd",))),
        ("e", Filter(kinds=("cut",))),
        ("ef", Filter(kinds=("same",))),
        ("d", Filter(kinds=("rated",))),
        ("cd", Filter(kinds=("failed", "rated"))),
        ("cd", Filter(models=("fake/m1",))),
        ("bd", Filter(temperatures=(1.0,))),
        ("", Filter(text="tea", kinds=("failed",))),
    ]:
        with subtests.test(filter=str(looked_for)):
            of_kind = {one.id: kinds_of(one.id, results, findings, ratings, {"c"}) for one in cells}
            among = [one.id for one in looked_for.among(cells, results) if looked_for.kind_kept(of_kind[one.id])]
            assert "".join(among) == kept

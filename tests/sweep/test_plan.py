"""A plan: what it asks, in which cells, and what can't be planned."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InvalidInput
from lib.core.parameters import Params
from lib.core.request import Message
from lib.sweep.axis import Axis
from lib.sweep.plan import Plan, slice_of, unique
from tests.studies import cell_id

MODELS = st.lists(st.sampled_from(["a/x", "a/y", "b/x:free", "b/中文 id"]), min_size=1, unique=True).map(tuple)
TEMPERATURES = st.lists(st.sampled_from([0.0, 0.7, 1.3, 2.0]), min_size=1, unique=True).map(tuple)
PLAN = Plan(prompt="hi", models=("a/x",), temperatures=(0.0,))


INPUTS = st.lists(st.dictionaries(st.just("x"), st.sampled_from(["", "a", "{{x}}", "中"])), max_size=3).map(tuple)
AXES = st.none() | st.one_of(
    st.builds(
        Axis, st.just("system"), st.lists(st.sampled_from(["", "a", "be {{x}}"]), min_size=1, unique=True).map(tuple)
    ),
    st.builds(Axis, st.just("top_p"), st.lists(st.sampled_from([0.1, 0.5, 1.0]), min_size=1, unique=True).map(tuple)),
    st.builds(Axis, st.just("max_tokens"), st.lists(st.integers(1, 9), min_size=1, unique=True, max_size=3).map(tuple)),
)
PICTURE = "data:image/png;base64,AA=="
HISTORY = st.sampled_from(
    [
        (),
        (Message(role="user", content="Hi"), Message(role="assistant", content="Hello")),
        (Message(role="user", content="", images=(PICTURE,)), Message(role="assistant", content="A cat.")),
        (Message(role="user", content="What is it?", images=(PICTURE, PICTURE)),),
    ]
)
PLANS = st.builds(
    Plan,
    st.sampled_from(["hi", "hi {{x}}", "{{x}} {{y}}"]),
    MODELS,
    TEMPERATURES,
    st.sampled_from(["", "be brief", "be {{x}}"]),
    st.integers(1, 3),
    params=st.sampled_from([Params(stream=True), Params(stream=True, max_tokens=5, frequency_penalty=1, user="me")]),
    history=HISTORY,
    inputs=INPUTS,
    axis=AXES,
)


@given(PLANS)
def test_every_cell_of_a_plan_has_a_name_of_its_own_and_always_the_same(plan: Plan) -> None:
    cells = list(plan.cells("sweep"))

    assert len({cell.id for cell in cells}) == len(cells) == plan.size
    assert len({(c.row, c.column, c.input, c.variant, c.repeat) for c in cells}) == len(cells)
    assert [cell.id for cell in plan.cells("sweep")] == [cell.id for cell in cells]
    assert not {cell.id for cell in plan.cells("other")} & {cell.id for cell in cells}


@given(PLANS)
def test_a_stored_plan_is_read_as_it_was(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@given(PLANS)
def test_a_cell_is_named_by_what_it_sends(plan: Plan) -> None:
    for cell in plan.cells("sweep"):
        body = plan.request(cell.model, cell.temperature, cell.input, cell.variant).body()
        # The first ones are named as they were before there were inputs and variants: a stored sweep keeps its cells.
        others = (cell.input, cell.variant) if cell.input or cell.variant else ()
        assert cell.id == cell_id("sweep", body, cell.repeat, *others)


@given(PLANS)
def test_a_slice_is_the_grid_of_one_input_and_one_variant(plan: Plan) -> None:
    cells, (inputs, variants) = list(plan.cells("sweep")), plan.slices
    slices = [slice_of(cells, input, variant) for input in range(inputs) for variant in range(variants)]

    assert sum(map(len, slices)) == plan.size
    for grid in slices:
        places = [(cell.row, cell.column, cell.repeat) for cell in grid]
        assert places == sorted(set(places)) and len(places) * inputs * variants == plan.size


@given(PLANS)
def test_a_plan_grows_at_the_end_and_its_cells_keep_place_and_name(plan: Plan) -> None:
    grown = replace(
        plan,
        models=(*plan.models, "c/new"),
        temperatures=(*plan.temperatures, 0.123),
        repeats=plan.repeats + 1,
        inputs=(*plan.inputs, {"x": "more"}) if plan.inputs else (),
    )
    assert set(plan.cells("sweep")) < set(grown.cells("sweep"))
    ordered = replace(grown, models=tuple(sorted(grown.models)), temperatures=tuple(sorted(grown.temperatures)))
    assert plan.grown(replace(ordered, concurrency=9, cap=1.0)) == replace(grown, concurrency=9, cap=1.0)
    for other in (replace(grown, prompt="else"), replace(grown, models=("c/new",)), replace(grown, system="else")):
        assert plan.grown(other) is None or other == grown
    assert plan.grown(replace(plan, inputs=(*plan.inputs, {"x": "1"}))) is None or plan.inputs


@given(PLANS)
def test_a_stored_plan_is_the_plan(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_stored_before_there_were_inputs_is_read() -> None:
    stored = {name: value for name, value in PLAN.to_json().items() if name not in ("inputs", "axis")}
    assert Plan.from_json(stored) == PLAN


def test_a_further_field_that_has_got_a_control_since_is_that_controls() -> None:
    """`top_p` stands for a control that a later version adds; "wide" is what only a service knows."""
    stored = {**PLAN.to_json(), "params": {"stream": True, "extra_fields": {"top_p": 0.5, "seed": 7}}}
    plan = Plan.from_json(stored)
    assert plan.checked().params == Params(stream=True, top_p=0.5, extra_fields={"seed": 7})
    for value in ("wide", None, "0.5"):
        stored["params"] = {"extra_fields": {"top_p": value}}
        sent = Plan.from_json(stored).params.to_send()
        assert sent == {"top_p": value} and type(sent["top_p"]) is type(value)
    with pytest.raises(InvalidInput, match="control of its own"):
        Plan.from_json(stored).checked()


def test_variables_are_replaced_in_both_prompts_once_and_only_with_inputs() -> None:
    plan = Plan(
        "Sell {{x}}{{y}}.", ("a/m",), (0.0,), "Be {{x}}.", inputs=({"x": "{{y}}", "y": "1"}, {"x": "b", "y": ""})
    )
    texts = [[message.content for message in plan.messages(input)] for input in (0, 1)]

    assert texts == [["Be {{y}}.", "Sell {{y}}1."], ["Be b.", "Sell b."]]
    assert [message.content for message in replace(plan, inputs=()).messages()] == ["Be {{x}}.", "Sell {{x}}{{y}}."]


def test_the_further_axis_changes_what_it_names_and_nothing_else() -> None:
    plan = Plan("hi", ("a/m",), (0.0,), "one", params=Params(max_tokens=5), axis=Axis("max_tokens", (7, 9)))
    assert [plan.request("m", 0.5, 0, variant).body()["max_tokens"] for variant in (0, 1)] == [7, 9]
    plan = replace(plan, axis=Axis("system", ("", "two")))
    assert [len(plan.messages(0, variant)) for variant in (0, 1)] == [1, 2]
    assert plan.request("m", 0.5, 0, 1).body()["max_tokens"] == 5


def test_what_cannot_be_run_is_a_sentence(subtests: pytest.Subtests) -> None:
    for change, sentence in [
        ({"prompt": " "}, "The prompt is empty."),
        ({"models": ()}, "Choose at least one model."),
        ({"temperatures": ()}, "Choose at least one temperature."),
        ({"temperatures": (9.0,)}, "“temperature” has to be a number from 0 to 2."),
        ({"repeats": 0}, "“Answers per setting” has to be a whole number from 1 to 50."),
        ({"repeats": 51}, "“Answers per setting” has to be a whole number from 1 to 50."),
        ({"concurrency": 0}, "“Requests at the same time” has to be a whole number from 1 to 64."),
        ({"axis": Axis("top_p", (0.5, 2))}, "“top_p” has to be a number from 0 to 1."),
        ({"axis": Axis("max_tokens", (0,))}, "“max_tokens” has to be a whole number from 1 to"),
        (
            {"prompt": "{{y}}", "inputs": ({"x": "1"},)},
            "“y” is in the prompt, and the list of inputs has no such column.",
        ),
        ({"prompt": "{{x}}", "inputs": ({"x": "1"}, {"x": ""})}, "With row 2 of the inputs the prompt is empty."),
        ({"inputs": ({"x": "1"},) * 2001}, "That makes 2,001 answers; at most 2,000"),
        ({"models": tuple(f"a/{n}" for n in range(100)), "repeats": 50}, "That makes 5,000 answers; at most 2,000"),
    ]:
        with subtests.test(sentence):
            plan = Plan(**{**{name: getattr(PLAN, name) for name in PLAN.__slots__}, **change})  # type: ignore[arg-type]

            with pytest.raises(InvalidInput, match=sentence.replace("(", "\\(")):
                plan.checked()


def test_unique_keeps_the_order() -> None:
    assert unique([0.7, 0, 0.7, 0.0]) == (0.7, 0)

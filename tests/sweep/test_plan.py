"""A plan: what it asks, in which cells, and what can't be planned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InvalidInput
from lib.core.parameters import Params
from lib.sweep.plan import Plan, unique

MODELS = st.lists(st.sampled_from(["a/x", "a/y", "b/x:free", "b/中文 id"]), min_size=1, unique=True).map(tuple)
TEMPERATURES = st.lists(st.sampled_from([0.0, 0.7, 1.3, 2.0]), min_size=1, unique=True).map(tuple)
PLAN = Plan(prompt="hi", models=("a/x",), temperatures=(0.0,))


@given(MODELS, TEMPERATURES, st.integers(1, 4))
def test_every_cell_of_a_plan_has_a_name_of_its_own_and_always_the_same(
    models: tuple[str, ...], temperatures: tuple[float, ...], repeats: int
) -> None:
    plan = Plan(prompt="hi", models=models, temperatures=temperatures, repeats=repeats)
    cells = list(plan.cells("sweep"))

    assert len({cell.id for cell in cells}) == len(cells) == plan.size
    assert [cell.id for cell in plan.cells("sweep")] == [cell.id for cell in cells]
    assert not {cell.id for cell in plan.cells("other")} & {cell.id for cell in cells}


@given(MODELS, TEMPERATURES)
def test_a_stored_plan_is_the_plan(models: tuple[str, ...], temperatures: tuple[float, ...]) -> None:
    plan = Plan("hi", models, temperatures, "be brief", 2, 8, Params(stream=True, max_tokens=5))

    assert Plan.from_json(plan.to_json()) == plan


def test_what_cannot_be_run_is_a_sentence(subtests: pytest.Subtests) -> None:
    for change, sentence in [
        ({"prompt": " "}, "The prompt is empty."),
        ({"models": ()}, "Choose at least one model."),
        ({"temperatures": ()}, "Choose at least one temperature."),
        ({"temperatures": (9.0,)}, "“temperature” has to be a number from 0 to 2."),
        ({"repeats": 0}, "“Answers per setting” has to be a whole number from 1 to 50."),
        ({"repeats": 51}, "“Answers per setting” has to be a whole number from 1 to 50."),
        ({"concurrency": 0}, "“Requests at the same time” has to be a whole number from 1 to 64."),
        ({"models": tuple(f"a/{n}" for n in range(100)), "repeats": 50}, "That makes 5,000 answers; at most 2,000"),
    ]:
        with subtests.test(sentence):
            plan = Plan(**{**{name: getattr(PLAN, name) for name in PLAN.__slots__}, **change})  # type: ignore[arg-type]

            with pytest.raises(InvalidInput, match=sentence.replace("(", "\\(")):
                plan.checked()


def test_unique_keeps_the_order() -> None:
    assert unique([0.7, 0, 0.7, 0.0]) == (0.7, 0)

"""A price belongs to an id, and to nothing that only begins like it."""

import pytest

from lib.core import prices
from lib.core.model_names import same
from lib.core.reply import Usage

COUNTS = Usage(1_000, 500, source="reported")


@pytest.mark.row("U7")
def test_a_price_belongs_to_its_id(subtests: pytest.Subtests) -> None:
    for model, family in [
        ("gpt-4o", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku"),
        ("anthropic/claude-3.5-haiku", "claude-3-5-haiku"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("deepseek-r1-0528", "deepseek-r1"),
        ("deepseek-r1:7b", None),
        ("deepseek-r1-distill-qwen-7b", None),
        ("gemini-1.5-flash-8b", None),
        ("claude-opus-4-9", None),
        ("gpt-4o-mini-realtime-tuned", None),
        ("somebody/gpt-4o", None),
        ("my-own-model", None),
        ("", None),
    ]:
        with subtests.test(model):
            assert prices.list_price(model) == (None if family is None else prices.list_price(family))
            assert prices.cost(model, COUNTS) == (None if family is None else prices.cost(family, COUNTS))
            assert family is None or prices.list_price(family) is not None


def test_what_is_called_free_is_free_whatever_it_used() -> None:
    for usage in (COUNTS, Usage()):
        assert prices.cost("deepseek/deepseek-r1:free", usage) == 0.0
    assert prices.list_price("anything:free") == (0.0, 0.0)
    assert prices.cost("gpt-4o", Usage(1_000)) is None


def test_a_service_with_prices_of_its_own_is_asked_at_its_own() -> None:
    model = "deepseek/deepseek-r1"

    assert prices.list_price(model, "openrouter") not in (None, prices.list_price(model))


def test_a_dated_name_is_the_same_model_and_a_longer_one_another(subtests: pytest.Subtests) -> None:
    for asked, answered, expected in [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("openai/gpt-4o", "gpt-4o", True),
        ("gpt-4o", "openai/GPT-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-4", False),
        ("auto", "meta-llama/llama-3-70b", False),
    ]:
        with subtests.test((asked, answered)):
            assert same(asked, answered) is expected

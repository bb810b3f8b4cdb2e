"""A price belongs to an id, and to nothing that only begins like it."""

import pytest

from lib.core import prices
from lib.core.model_names import same
from lib.core.prices import Price
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


@pytest.mark.row("U6")
def test_longer_prompts_cost_what_the_list_says_and_calls_are_priced_so() -> None:
    (tier,) = prices.tiers("gemini-2.5-pro")
    short, long = Usage(1_000, 1_000), Usage(tier.start + 1, 1_000)

    assert prices.list_price("gemini-2.5-pro") == pytest.approx((1.25, 10.0))
    assert prices.cost("gemini-2.5-pro", short) == pytest.approx(Price(1.25, 10.0).of(short))
    assert prices.cost("gemini-2.5-pro", long) == pytest.approx(tier.price.of(long))
    assert prices.tiers("gpt-4o") == [] == prices.tiers("unheard-of")
    listed = prices.listed("gpt-4o")
    assert listed is not None and listed.cached is not None and 0 < listed.cached < listed.prompt
    cached = Usage(1_000, 0, cached_tokens=600)
    assert prices.cost("gpt-4o", cached) == pytest.approx(listed.of(cached))


def test_the_day_of_the_list_is_known_of_the_version_that_is_installed() -> None:
    """After an update of genai-prices: add the day on which PyPI has it."""
    assert prices.released() is not None

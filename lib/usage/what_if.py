"""What the same tokens would have cost at another model's list price."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core import prices
from lib.usage.totals import ModelTotals

MILLION = 1_000_000
USUAL = (
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "claude-haiku-4-5"),
    *("gemini-2.5-pro", "gemini-2.5-flash", "deepseek-chat"),
)
"""Models that people compare with; those without a list price are left out."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """US dollars that the known tokens cost at another model's price, and `calls` that this is told of, of `all_calls`.
    Other models count the same words otherwise, and answer longer or shorter: it is an estimate."""

    cost: float
    calls: int
    all_calls: int


def at_price_of(model: str, totals: Sequence[ModelTotals]) -> WhatIf | None:
    """None where `model` has no list price, or no tokens are known."""
    price = prices.list_price(model)
    known = [one for one in totals if one.prompt_tokens is not None and one.completion_tokens is not None]
    if price is None or not known:
        return None
    prompt = sum(one.prompt_tokens or 0 for one in known)
    completion = sum(one.completion_tokens or 0 for one in known)
    counted = sum(one.reported + one.estimated for one in known)
    cost = (prompt * price[0] + completion * price[1]) / MILLION
    return WhatIf(cost, counted, sum(one.calls for one in totals))


def comparable(models: Sequence[str]) -> list[str]:
    """The models one can ask about: those that were used and the usual ones, as far as they have a list price."""
    return [model for model in dict.fromkeys([*sorted(models), *USUAL]) if prices.list_price(model) is not None]

"""What the same tokens would have cost at another model's list price."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.core import prices
from lib.usage.totals import ModelTotals

MILLION = 1_000_000
TOKENS = ("prompt_tokens", "completion_tokens")
USUAL = (
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "claude-haiku-4-5"),
    *("gemini-2.5-pro", "gemini-2.5-flash", "deepseek-chat"),
)
"""Models that people compare with; those without a list price are left out."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """US dollars that tokens cost at another model's price, and how many `calls` they are of, of `all_calls`; `now` is
    what these same calls did cost, None where of none of them that is known.
    Other models count the same words otherwise, and answer longer or shorter: it is an estimate."""

    cost: float
    calls: int
    all_calls: int
    now: float | None


def at_price_of(model: str, totals: Sequence[ModelTotals]) -> WhatIf | None:
    """None where `model` has no list price, or no tokens are known."""
    known, priced = _known(totals), _priced(totals)
    compared = priced or known
    cost = _cost(model, compared)
    if cost is None or not known:
        return None
    counted = sum(one.reported + one.gateway + one.estimated for one in compared)
    now = math.fsum(one.cost or 0.0 for one in priced) if priced else None
    return WhatIf(cost, counted, sum(one.calls for one in totals), now)


def comparable(totals: Sequence[ModelTotals]) -> list[str]:
    """The models one can ask about: those that were used and the usual ones, as far as they have a list price; the
    cheapest for these tokens first, and what is free last."""
    priced = {model: cost for model in {*_used(totals), *USUAL} if (cost := _cost(model, totals)) is not None}
    return sorted(priced, key=lambda model: (priced[model] == 0, priced[model], model))


def worth_a_look(known: Sequence[str], totals: Sequence[ModelTotals]) -> int:
    """The place of the one to begin with: the cheapest, which is another than the only one that was used."""
    used = _used(totals)
    return next((place for place, model in enumerate(known) if used != {model}), 0)


def _used(totals: Sequence[ModelTotals]) -> set[str]:
    return {one.model for one in totals}


def _cost(model: str, totals: Sequence[ModelTotals]) -> float | None:
    """US dollars of the known tokens; None where the model has no list price."""
    price = prices.list_price(model)
    if price is None:
        return None
    prompt, completion = (sum(getattr(one, name) or 0 for one in _known(totals)) for name in TOKENS)
    return (prompt * price[0] + completion * price[1]) / MILLION


def _known(totals: Sequence[ModelTotals]) -> list[ModelTotals]:
    return [one for one in totals if one.prompt_tokens is not None and one.completion_tokens is not None]


def _priced(totals: Sequence[ModelTotals]) -> list[ModelTotals]:
    """The models whose tokens and costs are of the same calls: where a cost is missing, the tokens are too."""
    return [one for one in _known(totals) if one.cost is not None and one.unpriced <= one.unknown]

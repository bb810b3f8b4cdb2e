"""Computes what a call costs at list prices; None where there is no price, never 0.

Prices come with the package genai-prices, a snapshot that needs no network.
"""

from functools import cache

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from lib.core.contract import Usage

THOUSAND = 1_000


def cost(model: str, usage: Usage) -> float | None:
    """US dollars for `usage` of `model` at list prices; None when the model has no known price or the tokens are
    not known."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return _cost(model, usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens or 0)


def list_price(model: str) -> tuple[float, float] | None:
    """US dollars per million prompt and completion tokens, or None."""
    # Of a thousand and not of a million: some models (gemini-2.5-pro) cost twice as much a token in so long a prompt.
    prompt, completion = _cost(model, THOUSAND, 0, 0), _cost(model, 0, THOUSAND, 0)
    return None if prompt is None or completion is None else (prompt * THOUSAND, completion * THOUSAND)


@cache
def _known_as(model: str) -> str | None:
    """The name under which the snapshot knows a model: gateways put a vendor before it."""
    for name in (model, model.rpartition("/")[2]):
        try:
            calc_price(PricedUsage(input_tokens=1, output_tokens=1), model_ref=name)
        except LookupError:
            continue
        return name
    return None


def _cost(model: str, prompt: int, completion: int, cached: int) -> float | None:
    name = _known_as(model)
    if name is None:
        return None
    # genai-prices raises ValueError for more cached tokens than there are; services do report such.
    priced = PricedUsage(input_tokens=prompt, output_tokens=completion, cache_read_tokens=min(cached, prompt))
    return float(calc_price(priced, model_ref=name).total_price)


def context_window(model: str) -> int | None:
    """How many tokens a model reads, its answer included; None when that is not known."""
    name = _known_as(model)
    if name is None:
        return None
    return calc_price(PricedUsage(input_tokens=1, output_tokens=1), model_ref=name).model.context_window

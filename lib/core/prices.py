"""Computes what a call costs at list prices; None where there is no price, never 0 unless it is free.

Prices come with the package genai-prices, a snapshot that needs no network. A price belongs to an id: one that only
begins like another has none, but for the dates and versions that the snapshot's own rules name.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from lib.core.model_names import VERSION
from lib.core.reply import Usage

THOUSAND = 1_000
FREE = ":free"
"""How gateways end the id of a model that costs nothing (openrouter.ai/docs)."""
MAKERS = frozenset(
    (
        *("openai", "anthropic", "google", "x-ai", "xai", "deepseek", "mistral", "mistralai", "cohere", "perplexity"),
        *("moonshotai", "z-ai", "zhipuai", "minimax"),
    )
)
"""Who stands before an id (`openai/gpt-4o`) and sells the model at the price of the bare id."""


def cost(model: str, usage: Usage, seller: str = "") -> float | None:
    """US dollars for `usage` of `model` at list prices; None when the model has no known price or the tokens are
    not known. `seller` is a service with prices of its own, by the snapshot's name for it."""
    if model.endswith(FREE):
        return 0.0
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return _cost(model, seller, usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens or 0)


def list_price(model: str, seller: str = "") -> tuple[float, float] | None:
    """US dollars per million prompt and completion tokens, or None."""
    if model.endswith(FREE):
        return 0.0, 0.0
    # Of a thousand and not of a million: some models (gemini-2.5-pro) cost twice as much a token in so long a prompt.
    prompt, completion = _cost(model, seller, THOUSAND, 0, 0), _cost(model, seller, 0, THOUSAND, 0)
    return None if prompt is None or completion is None else (prompt * THOUSAND, completion * THOUSAND)


def context_window(model: str) -> int | None:
    """How many tokens a model reads, its answer included; None when that is not known."""
    known = _known_as(model.removesuffix(FREE), "")
    if known is None:
        return None
    name, seller = known
    window: int | None = _priced(PricedUsage(input_tokens=1, output_tokens=1), name, seller).model.context_window
    return window


@cache
def _known_as(model: str, seller: str) -> tuple[str, str] | None:
    """The name under which the snapshot has exactly this model, and at which seller; gateways put the maker before
    it."""
    maker, _, bare = model.rpartition("/")
    names = [(model, seller)] if seller else []
    names += [(model, ""), *([(bare, "")] if maker.lower() in MAKERS else [])]
    for name, sold_by in names:
        try:
            found = _priced(PricedUsage(input_tokens=1, output_tokens=1), name, sold_by)
        except LookupError:
            continue
        if _is_named(name, found.model):
            return name, sold_by
    return None


def _is_named(name: str, model: Any) -> bool:
    """Whether the snapshot's entry is for this very id. Its rules also match by how an id begins: `deepseek-r1:7b`,
    which is another model, by `deepseek-r1`."""
    name = name.lower()
    begun = [word for word in (model.id.lower(), *_words(model.match)) if name.startswith(word)]
    return any(VERSION.fullmatch(name[len(word) :]) for word in begun)


def _words(rule: Any) -> Iterator[str]:
    """The ids, and the beginnings of ids, in a rule of the snapshot."""
    for name in ("equals", "starts_with"):
        if isinstance(getattr(rule, name, None), str):
            yield getattr(rule, name).lower()
    for part in getattr(rule, "or_", None) or getattr(rule, "and_", None) or ():
        yield from _words(part)


def _cost(model: str, seller: str, prompt: int, completion: int, cached: int) -> float | None:
    known = _known_as(model, seller)
    if known is None:
        return None
    # genai-prices raises ValueError for more cached tokens than there are; services do report such.
    usage = PricedUsage(input_tokens=prompt, output_tokens=completion, cache_read_tokens=min(cached, prompt))
    return float(_priced(usage, *known).total_price)


def _priced(usage: PricedUsage, name: str, seller: str) -> Any:
    return calc_price(usage, model_ref=name, provider_id=seller or None)

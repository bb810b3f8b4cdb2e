"""Computes what a call costs at list prices; None where there is no price, never 0 unless it is free.

Prices come with the package genai-prices, a snapshot that needs no network. A price belongs to an id: one that only
begins like another has none, but for the dates and versions that the snapshot's own rules name.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from lib.core.model_names import VERSION
from lib.core.reply import Usage

THOUSAND, MILLION = 1_000, 1_000_000
RELEASED = {"0.2.3": date(2026, 11, 10)}
"""When each version of genai-prices came out, by PyPI: how old its prices are."""
FREE = ":free"
"""How gateways end the id of a model that costs nothing (openrouter.ai/docs)."""
MAKERS = frozenset(
    (
        *("openai", "anthropic", "google", "x-ai", "xai", "deepseek", "mistral", "mistralai", "cohere", "perplexity"),
        *("moonshotai", "z-ai", "zhipuai", "minimax"),
    )
)
"""Who stands before an id (`openai/gpt-4o`) and sells the model at the price of the bare id."""


class Price(NamedTuple):
    """US dollars per million tokens; `cached` is the price of prompt tokens that the service had in its cache, None:
    that of all others."""

    prompt: float
    completion: float
    cached: float | None = None

    def of(self, usage: Usage) -> float | None:
        """US dollars for `usage`; None where its tokens are not known."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens) if self.cached is not None else 0
        prompt = (usage.prompt_tokens - cached) * self.prompt + cached * (self.cached or 0.0)
        return (prompt + usage.completion_tokens * self.completion) / MILLION


class Tier(NamedTuple):
    """From a prompt of `start` tokens on, all tokens of a call cost `price`."""

    start: int
    price: Price


def released() -> date | None:
    """When the list of prices came out; None where that is not known of its version."""
    return RELEASED.get(version("genai-prices"))


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


def listed(model: str, seller: str = "") -> Price | None:
    """A model's list price, with that of cached tokens; None where it has none."""
    price = list_price(model, seller)
    return None if price is None else Price(*price, _cached_price(model, seller, THOUSAND))


def tiers(model: str, seller: str = "") -> list[Tier]:
    """What a model costs from longer prompts on, where it costs more then; the shortest first."""
    known = _known_as(model, seller)
    if known is None:
        return []
    price = _priced(PricedUsage(input_tokens=1, output_tokens=1), *known).model_price
    starts = {tier.start for side in (price.input_mtok, price.output_mtok) for tier in getattr(side, "tiers", ())}
    return [Tier(start, _in_tier(price, start, _cached_price(model, seller, start + 1))) for start in sorted(starts)]


def _in_tier(price: Any, start: int, cached: float | None) -> Price:
    return Price(float(_at(price.input_mtok, start)), float(_at(price.output_mtok, start)), cached)


def _at(side: Any, start: int) -> Any:
    """One side's price in the tier that begins at `start`."""
    reached = [tier.price for tier in getattr(side, "tiers", ()) if tier.start <= start]
    return reached[-1] if reached else getattr(side, "base", side or 0)


def _cached_price(model: str, seller: str, prompt: int) -> float | None:
    """US dollars per million cached tokens of a prompt of so many tokens."""
    cost = _cost(model, seller, prompt, 0, prompt)
    return None if cost is None else cost / prompt * MILLION


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

"""What somebody wants to use at most in a visit, a day or a month, and what a call takes of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Span = Literal["session", "day", "month"]
"""A browser session, a day or a month of the viewer's calendar."""
SPANS: tuple[Span, ...] = get_args(Span)
TOKENS = "tokens"
CALLS = "calls"
DOLLARS = "USD"
WARN_AT = 0.8


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` of `unit` in `span`: `unit` is US dollars, in which costs are counted, or `tokens`. From the
    share `warn_at` on the pages mention it. Money is told in `currency` (ISO 4217), of which a dollar is worth `rate`:
    that is its owner's own rate."""

    span: Span
    limit: float
    unit: str = DOLLARS
    warn_at: float = WARN_AT
    currency: str = DOLLARS
    rate: float = 1.0

    def as_counted(self, amount: float) -> tuple[float, str]:
        """An amount of its unit as its owner counts: how much of what."""
        return (amount, self.unit) if self.unit == TOKENS else (amount * self.rate, self.currency)

    def in_unit(self, amount: float) -> float:
        """An amount as its owner counts, in its unit."""
        return amount if self.unit == TOKENS else amount / self.rate


@dataclass(frozen=True, slots=True)
class Use:
    """What a call takes, or may take at worst: money, where it has a price, and tokens, where they are known."""

    cost: float | None = None
    tokens: int | None = None
    currency: str = DOLLARS

    def of(self, unit: str) -> float | None:
        """How much of a budget in `unit` that is; None where such a budget can't count it."""
        if unit == CALLS:
            return 1
        if unit == TOKENS:
            return self.tokens
        # What is free is so in every currency.
        return self.cost if self.currency == unit or self.cost == 0 else None

    def times(self, count: int) -> "Use":
        """What so many calls like this one take."""
        cost = None if self.cost is None else count * self.cost
        return Use(cost, None if self.tokens is None else count * self.tokens, self.currency)


def together(uses: Iterable[Use], unit: str) -> float:
    """What several calls take of a budget in `unit`, as far as it can count them."""
    return sum(use.of(unit) or 0 for use in uses)

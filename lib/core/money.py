"""Writes amounts of money for people."""

from lib.core.budget import CALLS, TOKENS


def dollars(amount: float) -> str:
    """US dollars; small amounts keep two digits that count."""
    if amount == 0 or round(amount, 2) >= 0.1:
        return f"${amount:,.2f}"
    return f"${amount:.2g}" if amount >= 0.0001 else f"${amount:.6f}"


def in_unit(amount: float, unit: str) -> str:
    """An amount of a budget's unit: `$2.00`, `20,000 tokens`, `60 calls`."""
    if unit in (TOKENS, CALLS):
        return f"{amount:,.0f} {unit if amount != 1 else unit.removesuffix('s')}"
    return dollars(amount)

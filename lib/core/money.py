"""Writes US dollars in English, for errors and files; a page writes them as its reader does (ui/shared/figures.py)."""

from collections.abc import Sequence

from lib.core.budget import CALLS, TOKENS

CURRENCIES = (
    *("USD", "CNY", "EUR", "GBP", "JPY", "HKD", "TWD", "KRW", "INR", "SGD", "CHF", "CAD", "AUD", "BRL", "RUB", "IDR"),
    *("VND", "THB", "PLN", "TRY"),
)
"""Those that people pay and count in, by ISO 4217."""
FIGURE_SPACE = "\u2007"


def dollars(amount: float) -> str:
    """US dollars; small amounts keep two digits that count."""
    if amount == 0 or round(amount, 2) >= 0.1:
        return f"${amount:,.2f}"
    return f"${amount:.2g}" if amount >= 0.0001 else f"${amount:.6f}"


class Dollars(float):
    """US dollars that a sentence is filled with: `dollars` writes them, on a page the reader's country."""

    def __format__(self, form: str) -> str:
        return dollars(float(self))


def aligned_decimals(amounts: Sequence[str], point: str = ".") -> list[str]:
    """Amounts of one column, filled up behind with spaces as wide as a figure: where they end on one line, their
    decimal points stand on one too. `point` is what the reader's country takes for it; a word stays as it is."""
    behind = [sum(sign.isdigit() for sign in amount.partition(point)[2]) for amount in amounts]
    most = max(behind, default=0)
    return [
        amount + FIGURE_SPACE * (most - places) if any(map(str.isdigit, amount)) else amount
        for amount, places in zip(amounts, behind, strict=True)
    ]


def in_unit(amount: float, unit: str) -> str:
    """An amount of a budget's unit: `$2.00`, `20,000 tokens`, `60 calls`."""
    if unit in (TOKENS, CALLS):
        return f"{amount:,.0f} {unit if amount != 1 else unit.removesuffix('s')}"
    return dollars(amount)

"""Writes amounts of money for people."""


def dollars(amount: float) -> str:
    """US dollars; small amounts keep two digits that count."""
    if amount == 0 or amount >= 0.1:
        return f"${amount:,.2f}"
    return f"${amount:.2g}" if amount >= 0.0001 else f"${amount:.6f}"

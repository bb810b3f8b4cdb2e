"""Keeps the prices that a visitor has set, by service and model."""

from typing import Any

from sqlalchemy import Connection

from lib.core.prices import Price
from lib.visitor import preferences

NAME = "prices"
MOST_PRICED = 500
"""Models of all services together for which one visitor keeps prices."""
HIGHEST = 1_000_000.0
"""Dollars; what is dearer is a slip of the keyboard."""


def of_services(db: Connection, owner: str) -> dict[str, dict[str, Price]]:
    """The owner's prices by the endpoint's name and the model's id."""
    found: dict[str, dict[str, Price]] = {}
    for endpoint, models in (preferences.get(db, owner, NAME) or {}).items():
        for model, price in models.items():
            found.setdefault(endpoint, {})[model] = Price(*price)
    return found


def put(db: Connection, owner: str, endpoint: str, model: str, price: Price | None) -> None:
    """Set the price of a model at a service; None takes it off. One too many takes off the oldest."""
    known = of_services(db, owner)
    kept = [(at, one, own) for at, models in known.items() for one, own in models.items()]
    kept = [one for one in kept if one[:2] != (endpoint, model)]
    if price is not None:
        kept.append((endpoint, model, price))
    made: dict[str, dict[str, Any]] = {}
    for at, one, own in kept[-MOST_PRICED:]:
        made.setdefault(at, {})[one] = list(own)
    preferences.put(db, owner, NAME, made)


def as_price(prompt: Any, completion: Any, cached: Any = None) -> Price | None:
    """Numbers as a price; None where one of the first two is missing, or any is below 0 or beyond all that a model
    costs."""
    given = (prompt, completion) if cached is None else (prompt, completion, cached)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= HIGHEST for one in given):
        return None
    return Price(*map(float, given))

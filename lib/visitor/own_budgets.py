"""Keeps the budgets that a visitor has set: one for each span of time at the most."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from lib.core.budget import SPANS, Budget
from lib.visitor import preferences

NAME = "budgets"
HIGHEST = 1e12
"""Of any unit; what is more is a slip of the keyboard."""


def load(db: Connection, owner: str) -> list[Budget]:
    """The owner's budgets, the shortest span first."""
    kept = preferences.get(db, owner, NAME) or {}
    return [Budget(span=span, **kept[span]) for span in SPANS if span in kept]


def save(db: Connection, owner: str, budgets: Sequence[Budget]) -> None:
    """Let these be the owner's budgets."""
    preferences.put(db, owner, NAME, {one.span: _facts(one) for one in budgets})


def usable(limit: Any) -> bool:
    """Whether a number can be a limit."""
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        return False
    return math.isfinite(limit) and 0 < limit <= HIGHEST


def _facts(budget: Budget) -> dict[str, Any]:
    return {name: value for name, value in asdict(budget).items() if name != "span"}

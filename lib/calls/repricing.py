"""Gives calls that were made before another price, when their owner asks for it; by itself a price stays as it was."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, case, cast, func, select, update

from lib.calls import usage_rollups
from lib.core.prices import Price
from lib.store.schema import calls
from lib.store.statements import chunks

MILLION = 1_000_000
SAME = 1e-12
"""Sums of floats may differ by so much and be the same."""
OPEN_TO_IT = ("", "list", "own")
"""Where the costs come from that may change: what a service has reported, or was free, is as it is."""


def count_other(conn: Connection, owner: str, endpoint: str, model: str, price: Price) -> int:
    """How many of a model's calls have another price than `price`."""
    query = select(func.count()).where(calls.c.owner == owner, *_open(endpoint, model), _other(price))
    return int(conn.execute(query).scalar_one())


def reprice(conn: Connection, owner: str, endpoint: str, model: str, price: Price) -> int:
    """Set the cost of all these calls anew; how many there were. The sums change with them."""
    query = select(calls.c.seq).where(calls.c.owner == owner, *_open(endpoint, model), _other(price))
    seqs = list(conn.execute(query).scalars())
    facts = {"cost_source": "own", "prompt_price": price.prompt, "completion_price": price.completion}
    for some in chunks(seqs):
        # Counted out while the rows still are what was counted.
        usage_rollups.uncount(conn, some)
        change = update(calls).where(calls.c.owner == owner, calls.c.seq.in_(some))
        conn.execute(change.values(cost=_cost(price), **facts))
        usage_rollups.count(conn)
    return len(seqs)


def _open(endpoint: str, model: str) -> list[ColumnElement[bool]]:
    return [
        calls.c.endpoint == endpoint,
        calls.c.model == model,
        calls.c.state != "started",
        calls.c.cost_source.in_(OPEN_TO_IT),
        calls.c.prompt_tokens.is_not(None),
        calls.c.completion_tokens.is_not(None),
    ]


def _other(price: Price) -> ColumnElement[bool]:
    # By what they cost: the price of cached tokens is not in the row.
    same_cost = func.abs(calls.c.cost - _cost(price)) <= SAME * (1 + func.abs(calls.c.cost))
    return ~func.coalesce((calls.c.cost_source == "own") & same_cost, False)


def _cost(price: Price) -> ColumnElement[Any]:
    """What `Price.of` says, in the database."""
    # As floats: PostgreSQL takes what an integer is multiplied by for an integer, and 0.125 would be 0.
    prompt, completion, cached = (
        cast(calls.c[f"{kind}_tokens"], Double) for kind in ("prompt", "completion", "cached")
    )
    known = func.coalesce(case((cached > prompt, prompt), else_=cached), 0.0)
    if price.cached is None:
        return (prompt * price.prompt + completion * price.completion) / MILLION
    return ((prompt - known) * price.prompt + known * price.cached + completion * price.completion) / MILLION

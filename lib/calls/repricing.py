"""Gives calls that were made before another price, when their owner asks for it; by itself a price stays as it was."""

from sqlalchemy import ColumnElement, Connection, func, select, update

from lib.calls import usage_rollups
from lib.store.schema import calls
from lib.store.texts import chunks

MILLION = 1_000_000
OPEN_TO_IT = ("", "list", "own")
"""Where the costs come from that may change: what a service has reported, or was free, is as it is."""


def count_other(conn: Connection, owner: str, endpoint: str, model: str, price: tuple[float, float]) -> int:
    """How many of a model's calls have another price than `price`, in US dollars per million prompt and completion
    tokens."""
    query = select(func.count()).where(calls.c.owner == owner, *_open(endpoint, model), _other(price))
    return int(conn.execute(query).scalar_one())


def reprice(conn: Connection, owner: str, endpoint: str, model: str, price: tuple[float, float]) -> int:
    """Set the cost of all these calls anew; how many there were. The sums change with them."""
    query = select(calls.c.seq).where(calls.c.owner == owner, *_open(endpoint, model), _other(price))
    seqs = list(conn.execute(query).scalars())
    prompt, completion = price
    cost = (calls.c.prompt_tokens * prompt + calls.c.completion_tokens * completion) / MILLION
    facts = {"cost_source": "own", "prompt_price": prompt, "completion_price": completion, "price_currency": "USD"}
    for some in chunks(seqs):
        # Counted out while the rows still are what was counted.
        usage_rollups.subtract(conn, some)
        change = update(calls).where(calls.c.owner == owner, calls.c.seq.in_(some))
        conn.execute(change.values(cost=cost, **facts))
        usage_rollups.add(conn, some)
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


def _other(price: tuple[float, float]) -> ColumnElement[bool]:
    same = (calls.c.cost_source == "own") & (calls.c.prompt_price == price[0]) & (calls.c.completion_price == price[1])
    return ~func.coalesce(same, False)

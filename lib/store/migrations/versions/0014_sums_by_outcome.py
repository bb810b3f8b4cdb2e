"""Sums of calls by how they went, whose word their costs are, and by chat and sweep; quarters of an hour by model."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
DAY, QUARTER = 86_400_000_000, 900_000_000
TOKENS = ("prompt", "completion", "reasoning", "cached")
FACTS = ("page", "endpoint", "model", "outcome")
OUTCOME = (
    "CASE WHEN state = 'error' THEN 'failed' WHEN state = 'cancelled' THEN 'stopped' WHEN state != 'ok' THEN 'cut' "
    "WHEN finish_reason = 'content_filter' THEN 'filtered' WHEN finish_reason = 'length' THEN 'cut' ELSE 'ok' END"
)
PLACE = "coalesce(chat_id, sweep_id, '')"
TABLES = {
    "usage_models": (1, FACTS),
    "usage_sessions": (1, ("session", *FACTS)),
    "usage_days": (DAY, ("at", *FACTS)),
    "usage_places": (DAY, ("at", "place", *FACTS)),
    "usage_quarters": (QUARTER, ("at", *FACTS)),
}
"""How long a stretch of time is (microseconds), and what the calls of a row have in common."""
KNOWN = "(prompt_tokens IS NOT NULL AND completion_tokens IS NOT NULL)"
COUNTS = {
    "reported": f"{KNOWN} AND usage_source = 'reported'",
    "gateway": f"{KNOWN} AND usage_source = 'gateway'",
    "estimated": f"{KNOWN} AND usage_source NOT IN ('reported', 'gateway')",
    "unknown": f"NOT {KNOWN} AND billed != 'no'",
    "unbilled": f"NOT {KNOWN} AND billed = 'no'",
    "unpriced": f"cost IS NULL AND ({KNOWN} OR billed != 'no')",
    "ended_early": "state IN ('partial', 'interrupted', 'cancelled')",
    "cost_reported": "cost_source = 'reported'",
    "cost_own": "cost_source = 'own'",
    "cost_free": "cost_source IN ('free', 'local')",
}
WRITING = "(seconds - first_token_seconds)"
KINDS = {
    "first_word": ("first_token_seconds IS NOT NULL", "first_token_seconds * 10000.0"),
    "rate": (f"{WRITING} >= 0.2 AND completion_tokens > 0", f"completion_tokens * 100.0 / {WRITING}"),
    "whole": ("state = 'ok' AND seconds IS NOT NULL", "seconds * 10000.0"),
    "retried": ("attempts > 1", "0"),
}
MOST, MOST_UNITS = 10**12, 2**31 - 1
"""An absurd count must not make a sum overflow."""


def upgrade() -> None:
    """Make the tables anew and sum up the calls that there are, as lib/calls/usage_rollups.py and
    lib/calls/usage_spread.py do at this version."""
    # With the owner: else SQLite may look at all calls of the owner instead.
    for name, columns in (("calls_by_session", ["owner", "session"]), ("calls_by_state", ["state", "owner"])):
        op.drop_index(name, "calls")
        op.create_index(name, "calls", columns)
    some = sa.text("sweep_id IS NOT NULL")
    op.create_index("calls_by_sweep", "calls", ["owner", "sweep_id"], sqlite_where=some, postgresql_where=some)
    for name in ("usage_models", "usage_sessions", "usage_days", "usage_quarters", "usage_spread"):
        op.drop_table(name)
    for name, (length, keys) in TABLES.items():
        _create(name, keys, [*_sums(name)])
        _sum_up(name, length, keys)
    _create("usage_spread", ("endpoint", "model", "page", "outcome", "kind", "bin"), ["calls"])
    for kind in KINDS:
        _count_bins(kind)


def _sums(table: str) -> Iterator[str]:
    yield "calls"
    if table == "usage_quarters":
        yield from (f"{kind}_{what}" for kind in TOKENS[:2] for what in ("tokens", "known"))
    else:
        yield from (*COUNTS, *(f"{kind}_tokens" for kind in TOKENS), *(f"{kind}_known" for kind in TOKENS))
        yield from ("cost", "cost_known", "first_at", "last_at")


def _create(name: str, keys: tuple[str, ...], sums: list[str]) -> None:
    whole = ("at", "bin")
    op.create_table(
        name,
        *(
            sa.Column(key, WHOLE if key in whole else sa.Text, primary_key=True, autoincrement=False)
            for key in ("owner", *keys)
        ),
        *(sa.Column(one, sa.Float if one == "cost" else sa.BigInteger, nullable=False) for one in sums),
        sqlite_with_rowid=False,
    )


def _sum_up(table: str, length: int, keys: tuple[str, ...]) -> None:
    bounded = (
        f"CASE WHEN {{0}}_tokens > {MOST} THEN {MOST} WHEN {{0}}_tokens < -{MOST} THEN -{MOST} ELSE {{0}}_tokens END"
    )
    values = {
        "calls": "count(*)",
        **{name: f"count(CASE WHEN {condition} THEN 1 END)" for name, condition in COUNTS.items()},
        **{f"{kind}_tokens": f"coalesce(sum({bounded.format(kind, MOST)}), 0)" for kind in TOKENS},
        **{f"{kind}_known": f"count({kind}_tokens)" for kind in TOKENS},
        "cost": "coalesce(sum(cost), 0.0)",
        "cost_known": "count(cost)",
        "first_at": "min(started_at)",
        "last_at": "max(started_at)",
    }
    facts = {"at": f"started_at - started_at % {length}", "outcome": OUTCOME, "place": PLACE}
    by = ", ".join(facts.get(key, key) for key in ("owner", *keys))
    sums = list(_sums(table))
    op.execute(
        f"INSERT INTO {table} ({', '.join(['owner', *keys, *sums])}) "
        f"SELECT {by}, {', '.join(values[name] for name in sums)} FROM calls WHERE state != 'started' GROUP BY {by}"
    )


def _count_bins(kind: str) -> None:
    condition, value = KINDS[kind]
    keys = f"owner, endpoint, model, page, {OUTCOME} AS outcome"
    bounded = f"CASE WHEN {value} > {MOST_UNITS} THEN {MOST_UNITS} WHEN {value} < 0 THEN 0 ELSE {value} END"
    units = f"SELECT {keys}, CAST({bounded} AS BIGINT) AS units FROM calls WHERE state != 'started' AND {condition}"
    shifts = " ".join(f"WHEN units < {128 * 2**shift} THEN (units >> {shift}) + {64 * shift}" for shift in range(25))
    names = "owner, endpoint, model, page, outcome"
    op.execute(
        f"INSERT INTO usage_spread ({names}, kind, bin, calls) SELECT {names}, '{kind}', bin, count(*) FROM "
        f"(SELECT {names}, CASE {shifts} END AS bin FROM ({units}) AS found) AS binned GROUP BY {names}, bin"
    )

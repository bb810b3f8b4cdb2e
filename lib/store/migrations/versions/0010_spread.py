"""How what calls took is spread: counts by bins of their times and speeds, and by whose word their cost is."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEYS = "owner, endpoint, model, page, state"
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WRITING = "(seconds - first_token_seconds)"
KINDS = {
    "first_word": ("first_token_seconds IS NOT NULL", "first_token_seconds * 10000.0"),
    "rate": (f"{WRITING} >= 0.2 AND completion_tokens > 0", f"completion_tokens * 100.0 / {WRITING}"),
    "whole": ("state = 'ok' AND seconds IS NOT NULL", "seconds * 10000.0"),
    "retried": ("attempts > 1", "0"),
    "cost_reported": ("cost_source = 'reported'", "0"),
    "cost_own": ("cost_source = 'own'", "0"),
    "cost_free": ("cost_source IN ('free', 'local')", "0"),
}
MOST = 2**31 - 1


def upgrade() -> None:
    """Create the table, and count the calls that there are; as lib/calls/usage_spread.py does at this version."""
    op.create_table(
        "usage_spread",
        *(
            sa.Column(name, sa.Text, primary_key=True)
            for name in ("owner", "endpoint", "model", "page", "state", "kind")
        ),
        sa.Column("bin", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
    )
    shifts = " ".join(f"WHEN units < {128 * 2**shift} THEN (units >> {shift}) + {64 * shift}" for shift in range(25))
    for kind, (condition, value) in KINDS.items():
        bounded = f"CASE WHEN {value} > {MOST} THEN {MOST} WHEN {value} < 0 THEN 0 ELSE {value} END"
        units = f"SELECT {KEYS}, CAST({bounded} AS BIGINT) AS units FROM calls WHERE state != 'started' AND {condition}"
        op.execute(
            f"INSERT INTO usage_spread ({KEYS}, kind, bin, calls) "
            f"SELECT {KEYS}, '{kind}', bin, count(*) FROM "
            f"(SELECT {KEYS}, CASE {shifts} END AS bin FROM ({units}) AS found) AS binned GROUP BY {KEYS}, bin"
        )

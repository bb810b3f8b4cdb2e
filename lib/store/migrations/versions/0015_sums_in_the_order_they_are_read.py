"""Days and spreads in the order in which they are summed up, so that no question has to sort them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TOKENS = ("prompt", "completion", "reasoning", "cached")
COUNTS = (
    *("calls", "reported", "gateway", "estimated", "unknown", "unbilled", "unpriced", "ended_early"),
    *("cost_reported", "cost_own", "cost_free"),
)
TABLES = {
    "usage_days": (
        ("owner", "at", "endpoint", "model", "page", "outcome"),
        (
            *(*COUNTS, *(f"{kind}_tokens" for kind in TOKENS), *(f"{kind}_known" for kind in TOKENS)),
            *("cost", "cost_known", "first_at", "last_at"),
        ),
    ),
    "usage_spread": (("owner", "kind", "endpoint", "model", "bin", "page", "outcome"), ("calls",)),
}
"""The keys, in their new order, and the sums."""


def upgrade() -> None:
    """Make the tables anew and take over their rows."""
    for name, (keys, sums) in TABLES.items():
        columns = ", ".join((*keys, *sums))
        op.execute(f"CREATE TEMPORARY TABLE usage_kept AS SELECT {columns} FROM {name}")
        op.drop_table(name)
        op.create_table(
            name,
            *(
                sa.Column(key, WHOLE if key in ("at", "bin") else sa.Text, primary_key=True, autoincrement=False)
                for key in keys
            ),
            *(sa.Column(one, sa.Float if one == "cost" else sa.BigInteger, nullable=False) for one in sums),
            sqlite_with_rowid=False,
        )
        op.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM usage_kept")
        op.execute("DROP TABLE usage_kept")

"""What several processes on one database have under way of caps, budgets and limits, and how fast services take it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables, in PostgreSQL only; what the last day's calls took counts for the caps."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.add_column("sweep_runs", sa.Column("spent", sa.Float, nullable=False, server_default="0"))
    op.add_column("sweep_runs", sa.Column("zone", sa.Text, nullable=False, server_default="UTC"))
    for name in ("spent", "zone"):
        op.alter_column("sweep_runs", name, server_default=None)
    op.create_table(
        "reservations",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("sweep_id", sa.Text),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger),
        sa.Column("cost", sa.Float),
    )
    op.create_index("reservations_by_owner", "reservations", ["owner"])
    op.create_index("reservations_by_sweep", "reservations", ["sweep_id"])
    op.create_table(
        "cap_use",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
    )
    op.create_table(
        "gates",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("base_url", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    for owner, grouped in (("owner", "owner, "), ("''", "")):
        op.execute(
            "INSERT INTO cap_use (owner, hour, calls, tokens, cost) "
            f"SELECT {owner}, started_at - started_at % 3600000000 AS hour, count(*), "
            "coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)), 0), coalesce(sum(cost), 0) "
            "FROM calls WHERE state != 'started' AND process != 'imported' "
            "AND started_at > (extract(epoch FROM now()) - 86400) * 1000000 "
            f"GROUP BY {grouped}started_at - started_at % 3600000000"
        )

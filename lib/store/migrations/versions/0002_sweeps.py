"""Sweeps with their cells; an attempt at a cell has its number once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the Sweep page."""
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_index("sweeps_by_owner", "sweeps", ["owner", "created_at"])
    op.create_table(
        "cells",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("sweep_id", sa.Text, sa.ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("column", sa.BigInteger, nullable=False),
        sa.Column("repeat", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("temperature", sa.Float),
    )
    op.create_index("cells_by_sweep", "cells", ["sweep_id", "row", "column", "repeat"])
    op.drop_index("calls_by_cell", "calls")
    op.create_index("calls_by_cell", "calls", ["owner", "cell_id", "attempt"], unique=True)

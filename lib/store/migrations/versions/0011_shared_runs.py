"""What several processes that work on one database tell each other: sweeps under way, and their cells that are due."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables; in SQLite, which one process has, they would only take room."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "sweep_runs",
        sa.Column("sweep_id", sa.Text, sa.ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("over_budget", sa.Boolean, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("stopping", sa.Boolean, nullable=False),
        sa.Column("stopped_cells", sa.JSON, nullable=False),
        sa.Column("trouble", sa.JSON),
        sa.Column("outlook", sa.JSON),
    )
    op.create_index("sweep_runs_by_owner", "sweep_runs", ["owner", "ended_at"])
    op.create_table(
        "due_cells",
        sa.Column("cell_id", sa.Text, sa.ForeignKey("cells.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("sweep_id", sa.Text, sa.ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("column", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
    )
    op.create_index("due_cells_by_sweep", "due_cells", ["sweep_id", "row", "place"])

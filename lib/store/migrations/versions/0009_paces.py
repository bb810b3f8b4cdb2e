"""What services were found to take, and what was foreseen of a sweep."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table of paces, and make room in the sweeps."""
    op.create_table(
        "paces",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("base_url", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("burst", sa.BigInteger, nullable=False),
        sa.Column("learned_at", sa.BigInteger, nullable=False),
    )
    op.add_column("sweeps", sa.Column("forecast", sa.JSON))

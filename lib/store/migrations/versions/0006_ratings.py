"""What a person, or a model asked to, thinks of answers; and of a sweep its pick, its rules and its report."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of ratings, and make room in the sweeps."""
    op.create_table(
        "ratings",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("rater", sa.Text, primary_key=True),
        sa.Column("stars", sa.BigInteger),
        sa.Column("thumb", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("rated_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ratings_by_call", "ratings", ["call_id"])
    op.add_column("sweeps", sa.Column("pick", sa.Text))
    op.add_column("sweeps", sa.Column("rules", sa.JSON))
    op.add_column("sweeps", sa.Column("report", sa.JSON))

"""What models were found not to take."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of refused parameters."""
    op.create_table(
        "learned",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("base_url", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("param", sa.Text, primary_key=True),
        sa.Column("learned_at", sa.BigInteger, nullable=False),
    )

"""Turns with images, answers of several models side by side, deleted turns; a temporary chat is in no table."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what a turn can be, and the table of images."""
    op.create_table(
        "images",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
    )
    op.add_column("messages", sa.Column("images", sa.JSON))
    op.add_column("messages", sa.Column("together", sa.Text))
    op.add_column("messages", sa.Column("left_out", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("deleted_at", sa.BigInteger))
    op.drop_column("chats", "temporary")

"""Calls whose figures are not in the sums of usage yet are marked, so that many are counted at once. The same mark
finds those in progress, and calls of no chat are left out of the index of chats."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Mark those that are in progress; all others are counted. Then make the indexes anew."""
    op.add_column("calls", sa.Column("uncounted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE calls SET uncounted = :yes WHERE state = 'started'").bindparams(yes=True))
    _index("calls_uncounted", "owner", sqlite="uncounted = 1", postgresql="uncounted")
    op.drop_index("calls_by_state", "calls")
    op.drop_index("calls_by_chat", "calls")
    _index("calls_by_chat", "owner", "chat_id", sqlite="chat_id IS NOT NULL", postgresql="chat_id IS NOT NULL")


def _index(name: str, *columns: str, sqlite: str, postgresql: str) -> None:
    op.create_index(name, "calls", columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))

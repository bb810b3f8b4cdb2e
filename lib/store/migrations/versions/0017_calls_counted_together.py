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
    some = {"sqlite_where": sa.text("uncounted = 1"), "postgresql_where": sa.text("uncounted")}
    op.create_index("calls_uncounted", "calls", ["owner"], **some)
    op.drop_index("calls_by_state", "calls")
    op.drop_index("calls_by_chat", "calls")
    some = dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text("chat_id IS NOT NULL"))
    op.create_index("calls_by_chat", "calls", ["owner", "chat_id"], **some)

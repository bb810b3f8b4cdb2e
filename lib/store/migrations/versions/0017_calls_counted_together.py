"""Calls whose figures are not in the sums of usage yet are marked, so that many are counted at once."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Mark those that are in progress; all others are counted."""
    op.add_column("calls", sa.Column("uncounted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE calls SET uncounted = :yes WHERE state = 'started'").bindparams(yes=True))
    some = {"sqlite_where": sa.text("uncounted = 1"), "postgresql_where": sa.text("uncounted")}
    op.create_index("calls_uncounted", "calls", ["owner"], **some)

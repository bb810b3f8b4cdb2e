"""Cells of several inputs to one prompt, and of one further axis; every cell before is of the first of both."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add where a cell stands in the two axes."""
    for name in ("input", "variant"):
        op.add_column("cells", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))

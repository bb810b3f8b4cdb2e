"""What was written in a chat is stored once, with what was sent; indexes hold only the rows that are looked for."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0016"
down_revision = "0015"

BATCH = 500
KEEP = "INSERT INTO texts (owner, id, text) VALUES (:owner, :id, :content) ON CONFLICT DO NOTHING"
NAME = "UPDATE messages SET text_id = :id WHERE seq = :seq"
INDEXES = {
    "calls_by_cell": (["owner", "cell_id", "attempt"], True, "cell_id IS NOT NULL"),
    "calls_by_state": (["state", "owner"], False, "state = 'started'"),
}
"""The columns of each index, whether it is unique, and which rows it holds from now on."""


def upgrade() -> None:
    """Move the texts, then make the indexes anew."""
    conn = op.get_bind()
    op.add_column("messages", sa.Column("text_id", sa.LargeBinary))
    for rows in _written(conn):
        for statement in (KEEP, NAME):
            conn.execute(sa.text(statement), rows)
    op.drop_column("messages", "content")
    _index("messages_by_text", "messages", ["owner", "text_id"], False, "text_id IS NOT NULL")
    for name, (columns, unique, condition) in INDEXES.items():
        op.drop_index(name, "calls")
        _index(name, "calls", columns, unique, condition)


def _written(conn: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """The messages with a text of their own, some at a time, each with that text's id."""
    total = conn.execute(sa.text("SELECT max(seq) FROM messages")).scalar() or 0
    query = sa.text(
        "SELECT seq, owner, content FROM messages WHERE content IS NOT NULL AND seq > :last ORDER BY seq LIMIT :most"
    )
    progress, last = context.config.attributes.get("progress"), 0
    while rows := [dict(row) for row in conn.execute(query, {"last": last, "most": BATCH}).mappings()]:
        yield [{**row, "id": hashlib.sha256(row["content"].encode()).digest()[:16]} for row in rows]
        last = rows[-1]["seq"]
        if progress is not None:
            progress(last / total)


def _index(name: str, table: str, columns: Sequence[str], unique: bool, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)

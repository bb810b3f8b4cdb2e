"""A chat has its model, its system prompt and its parameters; an answer that was brought in, who wrote it."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0008"
down_revision = "0007"

FIRST_MESSAGE = sa.text(
    """
    WITH RECURSIVE up (parent, role, text_id) AS (
        SELECT parent, role, text_id FROM message_nodes WHERE owner = :owner AND hash = :tip
        UNION ALL
        SELECT node.parent, node.role, node.text_id FROM message_nodes AS node
        JOIN up ON node.owner = :owner AND node.hash = up.parent
    )
    SELECT up.role, texts.text FROM up JOIN texts ON texts.owner = :owner AND texts.id = up.text_id
    WHERE up.parent IS NULL
    """
)
"""Of the conversation that ends at a node: who says its first message, and what."""
LAST_CALL = sa.text(
    """
    SELECT calls.owner, calls.chat_id, calls.endpoint, calls.model, calls.tip, messages.together,
        call_details.params_asked
    FROM calls JOIN call_details ON call_details.call_seq = calls.seq
    LEFT JOIN messages ON messages.call_id = calls.id AND messages.choice = 0
    WHERE calls.seq IN (SELECT max(seq) FROM calls WHERE chat_id IS NOT NULL GROUP BY chat_id)
    """
).columns(params_asked=sa.JSON)
TOGETHER = sa.text(
    """
    SELECT calls.endpoint, calls.model FROM messages JOIN calls ON calls.id = messages.call_id
    WHERE messages.chat_id = :chat AND messages.together = :together AND messages.choice = 0 ORDER BY calls.seq
    """
)
WRITTEN = sa.text("SELECT content FROM messages WHERE chat_id = :chat AND role = 'system' AND parent_id IS NULL")


def upgrade() -> None:
    """Add the columns; chats from before get the settings of their last call."""
    op.add_column("chats", sa.Column("model", sa.Text))
    op.add_column("chats", sa.Column("settings", sa.JSON))
    op.add_column("messages", sa.Column("made_by", sa.JSON))
    conn = op.get_bind()
    # For this step alone: without it each call looks through all messages.
    op.create_index("messages_by_call", "messages", ["call_id"])
    change = sa.text("UPDATE chats SET model = :model, settings = :settings WHERE id = :chat")
    change = change.bindparams(sa.bindparam("settings", type_=sa.JSON))
    found = conn.execute(LAST_CALL).mappings().all()
    for done, call in enumerate(found):
        conn.execute(change, _of(conn, call))
        _say(done / len(found))
    op.drop_index("messages_by_call", "messages")


def _of(conn: sa.Connection, call: sa.RowMapping) -> dict[str, Any]:
    """The settings of a call's chat."""
    models = [f"{call['endpoint']}/{call['model']}"]
    if call["together"]:
        beside = conn.execute(TOGETHER, {"chat": call["chat_id"], "together": call["together"]})
        models = list(dict.fromkeys(f"{row.endpoint}/{row.model}" for row in beside)) or models
    settings = {"system": _system(conn, call), "others": models[1:], "params": call["params_asked"]}
    return {"chat": call["chat_id"], "model": models[0], "settings": settings}


def _system(conn: sa.Connection, call: sa.RowMapping) -> str:
    """The standing prompt that a call sent before its conversation; a system message in the chat itself is none."""
    first = conn.execute(FIRST_MESSAGE, {"owner": call["owner"], "tip": call["tip"]}).first()
    if first is None or first.role != "system":
        return ""
    written = conn.execute(WRITTEN, {"chat": call["chat_id"]}).scalars()
    return "" if first.text in set(written) else str(first.text)


def _say(done: float) -> None:
    progress = context.config.attributes.get("progress")
    if progress:
        progress(done)

"""Calls, chats with their messages, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _calls()
    _chats()
    op.create_table(
        "settings",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )


def _sequence() -> sa.Column[int]:
    whole = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("seq", whole, primary_key=True, autoincrement=True)


def _calls() -> None:
    op.create_table(
        "calls",
        _sequence(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("cell_id", sa.Text),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_answered", sa.Text, nullable=False),
        sa.Column("params_asked", sa.JSON, nullable=False),
        sa.Column("params_sent", sa.JSON, nullable=False),
        sa.Column("messages", sa.JSON),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("usage_source", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("first_token_seconds", sa.Float),
        sa.Column("finish_reason", sa.Text),
        sa.Column("error_kind", sa.Text, nullable=False),
        sa.Column("error_text", sa.Text, nullable=False),
        sa.Column("error_record", sa.JSON, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("billed", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Float),
        sa.Column("process", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("calls_by_owner", "calls", ["owner", "seq"])
    op.create_index("calls_by_session", "calls", ["session"])
    op.create_index("calls_by_cell", "calls", ["cell_id"])
    op.create_index("calls_by_state", "calls", ["state"])


def _chats() -> None:
    op.create_table(
        "chats",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("temporary", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("head", sa.Text),
    )
    op.create_index("chats_by_owner", "chats", ["owner", "updated_at"])
    op.create_table(
        "messages",
        _sequence(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("chat_id", sa.Text, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parent_id", sa.Text, sa.ForeignKey("messages.id", ondelete="CASCADE")),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("call_id", sa.Text),
        sa.Column("choice", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_by_chat", "messages", ["chat_id", "parent_id"])
    op.create_index("messages_by_parent", "messages", ["parent_id"])

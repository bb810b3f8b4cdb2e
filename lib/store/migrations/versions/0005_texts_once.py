"""Texts once, calls in short rows, sums that are kept, one owner.

Written to be run again from the beginning wherever it was ended: it is one transaction. Nothing here uses the code of
today's store, which will go on changing; the hashes are those of lib/store/message_nodes.py and texts.py, so that the
next turn of an old chat finds its beginning.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0005"
down_revision = "0004"

OWNER = "local"
"""There has been one person at each store so far, under as many ids as they had browsers and addresses."""
BATCH = 200
MOST_SEEN = 1_000_000
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Rows = list[dict[str, Any]]


def upgrade() -> None:
    """Make the new tables, fill them from the old ones, and let the old ones go."""
    conn = op.get_bind()
    owners = _newest_first(conn)
    # Made anew and filled, not altered: SQLite can't change the columns, and old and new are needed side by side.
    op.rename_table("calls", "calls_before")
    for name in ("owner", "session", "cell", "state"):
        # An index keeps its name when its table gets another one, and the new table's need these names.
        op.drop_index(f"calls_by_{name}", "calls_before")
    _create_calls()
    _create_texts()
    _copy_calls(conn)
    _copy_conversations(conn)
    op.drop_table("calls_before")
    op.drop_index("messages_by_chat", "messages")
    op.create_index("messages_by_chat", "messages", ["chat_id"])
    _index_calls()
    _one_owner(conn, owners)
    _create_sums()
    _sum_up(conn)


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("seq", WHOLE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("chat_id", sa.Text),
        sa.Column("sweep_id", sa.Text),
        sa.Column("cell_id", sa.Text),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("temporary", sa.Boolean, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_answered", sa.Text, nullable=False),
        sa.Column("tip", sa.LargeBinary),
        sa.Column("request_hash", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
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
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("billed", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Float),
        sa.Column("cost_source", sa.Text, nullable=False),
        sa.Column("cost_reported", sa.Float),
        sa.Column("prompt_price", sa.Float),
        sa.Column("completion_price", sa.Float),
        sa.Column("price_currency", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "call_details",
        sa.Column(
            "call_seq", WHOLE, sa.ForeignKey("calls.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("params_asked", sa.JSON, nullable=False),
        sa.Column("params_sent", sa.JSON, nullable=False),
        sa.Column("error_text", sa.Text, nullable=False),
        sa.Column("error_record", sa.JSON, nullable=False),
        sa.Column("usage_received", sa.JSON),
        sa.Column("attempt_times", sa.JSON, nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column(
            "call_seq", WHOLE, sa.ForeignKey("calls.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("choice", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("text_id", sa.LargeBinary),
        sa.Column("unfinished_text", sa.Text),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("finish_reason", sa.Text),
        sa.Column("parts", sa.JSON),
    )


def _create_texts() -> None:
    op.create_table(
        "texts",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "message_nodes",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("parent", sa.LargeBinary),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text_id", sa.LargeBinary, nullable=False),
        sa.Column("images", sa.JSON),
    )


def _index_calls() -> None:
    op.create_index("calls_by_owner", "calls", ["owner", "seq"])
    op.create_index("calls_by_time", "calls", ["owner", "started_at"])
    op.create_index("calls_by_session", "calls", ["session"])
    op.create_index("calls_by_cell", "calls", ["owner", "cell_id", "attempt"], unique=True)
    op.create_index("calls_by_chat", "calls", ["owner", "chat_id"])
    op.create_index("calls_by_tip", "calls", ["owner", "tip"])
    op.create_index("calls_by_state", "calls", ["state"])
    op.create_index("answers_by_text", "answers", ["owner", "text_id"])
    op.create_index("message_nodes_by_parent", "message_nodes", ["owner", "parent"])
    op.create_index("message_nodes_by_text", "message_nodes", ["owner", "text_id"])


def _copy_calls(conn: sa.Connection) -> None:
    """All that is short goes over by itself."""
    same = (
        "seq, id, session, page, cell_id, attempt, endpoint, model, model_answered, state, prompt_tokens, "
        "completion_tokens, reasoning_tokens, cached_tokens, usage_source, started_at, seconds, first_token_seconds, "
        "finish_reason, error_kind, request_id, billed, attempts, cost, process"
    )
    # For this statement alone: without it each call looks through all messages.
    op.create_index("messages_by_call", "messages", ["call_id"])
    conn.execute(
        sa.text(
            f"INSERT INTO calls ({same}, owner, chat_id, sweep_id, temporary, cost_source, price_currency) "
            f"SELECT {same}, '{OWNER}', "
            "(SELECT min(messages.chat_id) FROM messages WHERE messages.call_id = calls_before.id), "
            "(SELECT cells.sweep_id FROM cells WHERE cells.id = calls_before.cell_id), "
            "messages IS NULL, CASE WHEN cost IS NULL THEN '' ELSE 'list' END, '' "
            "FROM calls_before ORDER BY seq"
        )
    )
    op.drop_index("messages_by_call", "messages")
    details = "params_asked, params_sent, error_text, error_record"
    conn.execute(
        sa.text(
            f"INSERT INTO call_details (call_seq, {details}, attempt_times) "
            f"SELECT seq, {details}, '[]' FROM calls_before ORDER BY seq"
        )
    )
    if conn.dialect.name == "postgresql":
        conn.execute(
            sa.text(
                # Rows that bring their numbers leave PostgreSQL's own counter where it was.
                "SELECT setval(pg_get_serial_sequence('calls', 'seq'), (SELECT coalesce(max(seq), 0) + 1 FROM calls))"
            )
        )


def _copy_conversations(conn: sa.Connection) -> None:
    """What was sent becomes chains of nodes, what came becomes answers; each text once."""
    old, store = _table("calls_before"), _Texts(conn)
    for done, rows in _batches(conn, old):
        tips: Rows = []
        for row in rows:
            tip = store.conversation(row.messages or ())
            asked = json.dumps([row.model, tip, row.params_asked], sort_keys=True, separators=(",", ":"))
            if tip:
                tips.append({"call": row.seq, "tip": bytes.fromhex(tip), "request_hash": bytes.fromhex(_hash(asked))})
            store.answers(row)
        store.write()
        if tips:
            change = sa.text("UPDATE calls SET tip = :tip, request_hash = :request_hash WHERE seq = :call")
            conn.execute(change, tips)
        _say(done)


class _Texts:
    """Gathers texts, nodes and answers, and writes those that are not there yet."""

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn
        self._seen: set[bytes] = set()
        self._rows: dict[str, Rows] = {"texts": [], "message_nodes": [], "answers": []}
        self._tables = {name: _table(name) for name in self._rows}

    def conversation(self, messages: Iterable[Mapping[str, Any]]) -> str | None:
        """Gather a conversation; its tip."""
        parent = None
        for one in messages:
            content, images = one["content"], list(one.get("images") or ())
            text_id = _hash(content)
            node = _hash(json.dumps([one["role"], text_id, images, parent], separators=(",", ":")))
            if self._is_new("message_nodes", node):
                self._keep(text_id, content)
                row = {"owner": OWNER, "hash": bytes.fromhex(node), "role": one["role"], "images": images or None}
                row |= {"parent": bytes.fromhex(parent) if parent else None, "text_id": bytes.fromhex(text_id)}
                self._rows["message_nodes"].append(row)
            parent = node
        return parent

    def answers(self, call: sa.Row[Any]) -> None:
        """Gather the answers of a call. Those of one that has not ended keep their text in their own row."""
        stored = call.messages is not None
        for choice, one in enumerate(call.choices):
            whole = call.state != "started" and stored
            row = {"call_seq": call.seq, "choice": choice, "owner": OWNER, "parts": None}
            row |= {"reasoning": one["reasoning"], "finish_reason": one["finish_reason"]}
            text_id = _hash(one["text"])
            row |= {"text_id": bytes.fromhex(text_id) if whole else None}
            row |= {"unfinished_text": None if whole else one["text"]}
            if whole:
                self._keep(text_id, one["text"])
            self._rows["answers"].append(row)

    def write(self) -> None:
        """Write what was gathered."""
        for name, rows in self._rows.items():
            if rows:
                self._conn.execute(self._tables[name].insert(), rows)
            rows.clear()

    def _keep(self, id: str, text: str) -> None:
        if self._is_new("texts", id):
            self._rows["texts"].append({"owner": OWNER, "id": bytes.fromhex(id), "text": text})

    def _is_new(self, table: str, hash: str) -> bool:
        """Whether this is the first of its hash. Few enough are remembered that a large store fits into memory; for one
        beyond that the database is asked."""
        bare = bytes.fromhex(hash)
        name = table[0].encode() + bare
        if name in self._seen:
            return False
        if len(self._seen) < MOST_SEEN:
            self._seen.add(name)
            return True
        key = "id" if table == "texts" else "hash"
        gathered = any(row[key] == bare for row in self._rows[table])
        there = self._conn.execute(sa.text(f"SELECT 1 FROM {table} WHERE {key} = :hash"), {"hash": bare}).first()
        return not gathered and there is None


def _batches(conn: sa.Connection, old: sa.Table) -> Iterator[tuple[float, Sequence[sa.Row[Any]]]]:
    """(part that is done, calls) until there are no more, by their numbers."""
    total = conn.execute(sa.select(sa.func.max(old.c.seq))).scalar() or 0
    names = ("seq", "model", "state", "params_asked", "messages", "choices")
    last = 0
    while rows := conn.execute(
        sa.select(*(old.c[name] for name in names)).where(old.c.seq > last).order_by(old.c.seq).limit(BATCH)
    ).all():
        last = rows[-1].seq
        yield last / total, rows


def _one_owner(conn: sa.Connection, owners: Sequence[str]) -> None:
    """All that the browsers and addresses of one person kept belongs to that person."""
    for table in ("chats", "messages", "sweeps", "cells"):
        # Their keys are without the owner, so that no two rows can meet.
        conn.execute(sa.text(f"UPDATE {table} SET owner = '{OWNER}'"))
    conn.execute(
        sa.text(
            # Their key has the owner in it: of the same image of two owners one has to go first.
            "DELETE FROM images WHERE EXISTS "
            "(SELECT 1 FROM images AS other WHERE other.id = images.id AND other.owner < images.owner)"
        )
    )
    conn.execute(sa.text(f"UPDATE images SET owner = '{OWNER}'"))
    conn.execute(
        sa.text(
            "DELETE FROM learned WHERE EXISTS (SELECT 1 FROM learned AS other WHERE other.base_url = learned.base_url "
            "AND other.model = learned.model AND other.param = learned.param "
            "AND (other.learned_at > learned.learned_at "
            "OR (other.learned_at = learned.learned_at AND other.owner < learned.owner)))"
        )
    )
    conn.execute(sa.text(f"UPDATE learned SET owner = '{OWNER}'"))
    _merge_settings(conn, owners)


def _newest_first(conn: sa.Connection) -> list[str]:
    """The owners by when they last did anything."""
    last: dict[str, int] = {}
    for table, time in (("calls", "started_at"), ("chats", "updated_at"), ("sweeps", "created_at")):
        for row in conn.execute(sa.text(f"SELECT owner, max({time}) AS last FROM {table} GROUP BY owner")):
            last[row.owner] = max(last.get(row.owner, 0), row.last)
    return sorted(last, key=lambda owner: -last[owner])


def _merge_settings(conn: sa.Connection, owners: Sequence[str]) -> None:
    """What was preferred last counts; lists of a person's own things are joined."""
    settings = _table("settings")
    by_name: dict[str, dict[str, Any]] = {}
    for row in conn.execute(sa.select(settings)):
        by_name.setdefault(row.name, {})[row.owner] = row.value
    conn.execute(settings.delete())
    rank = {owner: index for index, owner in enumerate(owners)}
    for name, values in by_name.items():
        newest = [values[owner] for owner in sorted(values, key=lambda owner: (rank.get(owner, len(rank)), owner))]
        value = MERGED[name](newest) if name in MERGED else newest[0]
        conn.execute(settings.insert(), {"owner": OWNER, "name": name, "value": value})


def _joined_models(newest: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Starred and lately used models of all."""
    starred = [model for one in reversed(newest) for model in one.get("starred", ())]
    recent = [model for one in newest for model in one.get("recent", ())]
    return {"starred": list(dict.fromkeys(starred)), "recent": list(dict.fromkeys(recent))[:8]}


def _joined_things(newest: Sequence[Sequence[Mapping[str, Any]]]) -> Rows:
    """Named things of all; an older one whose name is taken by another gets a number."""
    joined: dict[str, Any] = {}
    for things in newest:
        for one in things:
            name, number = one["name"], 2
            while name in joined and joined[name] != one["values"]:
                name, number = f"{one['name'][:54]} ({number})", number + 1
            joined.setdefault(name, one["values"])
    return [{"name": name, "values": values} for name, values in joined.items()]


MERGED: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "models": _joined_models,
    "presets": _joined_things,
    "prompts": _joined_things,
}

COUNTS = ("calls", "reported", "estimated", "unknown", "unbilled", "unpriced", "cut", "filtered", "ended_early")
TOKENS = ("prompt", "completion", "reasoning", "cached")
FACTS = ("page", "endpoint", "model", "state")
SUMS = {
    "usage_models": (1, FACTS),
    "usage_sessions": (1, ("session", *FACTS)),
    "usage_days": (86_400_000_000, ("at", *FACTS)),
    "usage_quarters": (900_000_000, ("session", "at")),
}
"""Tables of sums: how long a stretch of time is (microseconds), and what the calls of a row have in common."""


def _create_sums() -> None:
    for table, (_, keys) in SUMS.items():
        op.create_table(
            table,
            *(sa.Column(name, sa.Text, primary_key=True) if name != "at" else _at() for name in ("owner", *keys)),
            *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
            *(sa.Column(f"{kind}_tokens", sa.BigInteger, nullable=False) for kind in TOKENS),
            *(sa.Column(f"{kind}_known", sa.BigInteger, nullable=False) for kind in TOKENS),
            sa.Column("cost", sa.Float, nullable=False),
            sa.Column("cost_known", sa.BigInteger, nullable=False),
            sa.Column("first_at", sa.BigInteger, nullable=False),
            sa.Column("last_at", sa.BigInteger, nullable=False),
        )


def _at() -> sa.Column[int]:
    return sa.Column("at", WHOLE, primary_key=True, autoincrement=False)


def _sum_up(conn: sa.Connection) -> None:
    known = "(prompt_tokens IS NOT NULL AND completion_tokens IS NOT NULL)"
    broken = "state IN ('partial', 'interrupted')"
    counts = {
        "reported": f"{known} AND usage_source = 'reported'",
        "estimated": f"{known} AND usage_source != 'reported'",
        "unknown": f"NOT {known} AND billed != 'no'",
        "unbilled": f"NOT {known} AND billed = 'no'",
        "unpriced": f"cost IS NULL AND ({known} OR billed != 'no')",
        "cut": f"{broken} OR (state = 'ok' AND finish_reason = 'length')",
        "filtered": "finish_reason = 'content_filter'",
        "ended_early": f"{broken} OR state = 'cancelled'",
    }
    # As in lib/calls/usage_rollups.py: an absurd count must not make a sum overflow.
    most = 10**12
    bounded = "CASE WHEN {0}_tokens > {1} THEN {1} WHEN {0}_tokens < -{1} THEN -{1} ELSE {0}_tokens END"
    sums = {
        "calls": "count(*)",
        **{name: f"count(CASE WHEN {condition} THEN 1 END)" for name, condition in counts.items()},
        **{f"{kind}_tokens": f"coalesce(sum({bounded.format(kind, most)}), 0)" for kind in TOKENS},
        **{f"{kind}_known": f"count({kind}_tokens)" for kind in TOKENS},
        "cost": "coalesce(sum(cost), 0.0)",
        "cost_known": "count(cost)",
        "first_at": "min(started_at)",
        "last_at": "max(started_at)",
    }
    for table, (length, keys) in SUMS.items():
        names = ", ".join(["owner", *keys])
        values = ", ".join(["owner", *(f"started_at - started_at % {length}" if key == "at" else key for key in keys)])
        conn.execute(
            sa.text(
                f"INSERT INTO {table} ({names}, {', '.join(sums)}) SELECT {values}, {', '.join(sums.values())} "
                f"FROM calls WHERE state != 'started' GROUP BY {values}"
            )
        )


def _table(name: str) -> sa.Table:
    """A table as it stands in the database; what is None in Python is NULL there."""
    # Reflected, not imported from the schema: that one is today's, and this step has to stay what it is.
    table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
    for column in table.columns:
        if isinstance(column.type, sa.JSON):
            column.type = sa.JSON(none_as_null=True)
    return table


def _hash(text: str) -> str:
    """SHA-256, its first 128 bits in hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _say(done: float) -> None:
    progress = context.config.attributes.get("progress")
    if progress is not None:
        progress(done)

"""Every table of the database.

What is long stands apart from what is summed up, so that a sum over calls reads short rows only: a call's facts are in
`calls`, its errors, parameters and times in `call_details`, its answers in `answers`. A text is stored once for each
owner, in `texts` under a hash of itself. A conversation that was sent is a chain of `message_nodes`, each named by a
hash of its role, text, images and the node that it follows; a call holds the last one, so that the next turn adds two
rows and not the whole conversation. The `usage_` tables hold the sums of calls that have ended.

Each row has its owner. Times are whole microseconds since 1970 in UTC. Text is cleaned, and numbers are clamped, by
the column types: nothing a model or a service sends can make a row unwritable.
"""

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)

REPLACEMENT = "\ufffd"
MOST_INTEGER = 2**63 - 1
PRICE_CURRENCY = "USD"
"""Of all prices of calls: it stands beside them for who reads the database with other tools, and is not read here."""
metadata = MetaData()


_hide: list[tuple[int, Callable[[str], str]]] = []


def hide_in_texts(hide: Callable[[str], str], shortest: int) -> None:
    """From now on every text of at least `shortest` characters goes through `hide` before it is stored, whatever its
    table: what it takes out, a key that was pasted into a prompt say, reaches no disk. It has to leave what it has
    changed as it is."""
    _hide[:] = [(shortest, hide)]


def clean(text: str) -> str:
    """`text` as it is stored: U+FFFD stands for NUL and for lone surrogates, which no database takes, and what is to
    be hidden is."""
    for shortest, hide in _hide:
        if len(text) >= shortest:
            text = hide(text)
    if text.isascii() and "\0" not in text:
        return text  # nearly every name and number of ours: cleaned a hundred times for each call
    # UTF-16 joins the halves of a pair that arrived as two escapes; what is left alone is replaced.
    # NUL: PostgreSQL refuses it, and SQLite's length() and LIKE end there. Neither driver can encode lone surrogates.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", REPLACEMENT)


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)


def clean_json(value: Any) -> Any:
    """A JSON value with clean texts, integers of 64 bit, and null for what JSON has no number for."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(name)): clean_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool) else clamped(value)


def clamped(number: int) -> int:
    """`number`, or the 64-bit integer nearest to it."""
    return max(-MOST_INTEGER - 1, min(MOST_INTEGER, number))


# cache_ok, here and below: SQLAlchemy caches no statement with a type that does not say so, and compiles it anew.
class CleanText(TypeDecorator[str]):
    """Text without NUL and lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return _cleaned(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        return _cleaned  # without SQLAlchemy's function around it: it is called sixty times for each call


class CleanJson(TypeDecorator[Any]):
    """JSON with clean texts; None is SQL's NULL."""

    # Else None would be stored as JSON's null, which is not NULL.
    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return clean_json(value)


class Digest(TypeDecorator[str]):
    """A hash in hex; stored as bytes, which take half the room in every row and index."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else bytes(value).hex()


class Whole(TypeDecorator[int]):
    """An integer of 64 bit; larger ones are clamped."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else clamped(value)


_KEY = BigInteger().with_variant(Integer, "sqlite")
# SQLite numbers rows by itself, and takes a key for the row's own number, only in a column declared exactly INTEGER.


def _sequence() -> Column[int]:
    return Column("seq", _KEY, primary_key=True, autoincrement=True)


def _where(condition: str) -> dict[str, Any]:
    """Of an index: the rows that are in it. The others, which are most of them, take no room there."""
    return dict.fromkeys(("sqlite_where", "postgresql_where"), text(condition))


calls = Table(
    "calls",
    metadata,
    _sequence(),
    Column("id", CleanText, nullable=False, unique=True),
    Column("owner", CleanText, nullable=False),
    Column("session", CleanText, nullable=False),
    Column("page", CleanText, nullable=False),
    Column("chat_id", CleanText),
    Column("sweep_id", CleanText),
    Column("cell_id", CleanText),
    Column("attempt", Whole, nullable=False),
    Column("temporary", Boolean, nullable=False),  # a temporary chat's: its texts are not stored
    Column("endpoint", CleanText, nullable=False),
    Column("model", CleanText, nullable=False),
    Column("model_answered", CleanText, nullable=False),
    Column("tip", Digest),  # the last message node of the conversation that was sent
    Column("request_hash", Digest),
    Column("state", CleanText, nullable=False),
    Column("prompt_tokens", Whole),
    Column("completion_tokens", Whole),
    Column("reasoning_tokens", Whole),
    Column("cached_tokens", Whole),
    Column("usage_source", CleanText, nullable=False),
    Column("started_at", Whole, nullable=False),
    Column("seconds", Float),
    Column("first_token_seconds", Float),
    Column("finish_reason", CleanText),
    Column("error_kind", CleanText, nullable=False),
    Column("request_id", CleanText, nullable=False),
    Column("billed", CleanText, nullable=False),
    Column("attempts", Whole, nullable=False),
    Column("cost", Float),  # NULL: no price
    Column("cost_source", CleanText, nullable=False),
    Column("cost_reported", Float),
    Column("prompt_price", Float),
    Column("completion_price", Float),
    Column("price_currency", CleanText, nullable=False, default=PRICE_CURRENCY),
    Column("process", CleanText, nullable=False),
    Column("uncounted", Boolean, nullable=False, server_default=false()),  # in no sum of the `usage_` tables yet
    Index("calls_by_owner", "owner", "seq"),
    Index("calls_by_time", "owner", "started_at"),
    Index("calls_by_session", "owner", "session"),
    # Unique: of two processes that try a cell at once only one can be its next attempt.
    Index("calls_by_cell", "owner", "cell_id", "attempt", unique=True, **_where("cell_id IS NOT NULL")),
    Index("calls_by_chat", "owner", "chat_id", **_where("chat_id IS NOT NULL")),
    Index("calls_by_sweep", "owner", "sweep_id", **_where("sweep_id IS NOT NULL")),
    Index("calls_by_tip", "owner", "tip"),
    # As SQLAlchemy asks for it: SQLite takes an index only for the words of its own condition.
    Index("calls_uncounted", "owner", sqlite_where=text("uncounted = 1"), postgresql_where=text("uncounted")),
    # Else SQLite gives the number of a deleted last row once more, and numbers would not tell what is newer.
    sqlite_autoincrement=True,
)

call_details = Table(
    "call_details",
    metadata,
    Column("call_seq", _KEY, ForeignKey("calls.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("params_asked", CleanJson, nullable=False),
    Column("params_sent", CleanJson, nullable=False),
    Column("error_text", CleanText, nullable=False),
    Column("error_record", CleanJson, nullable=False),
    Column("usage_received", CleanJson),
    Column("attempt_times", CleanJson, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("call_seq", _KEY, ForeignKey("calls.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("choice", _KEY, primary_key=True, autoincrement=False),
    Column("owner", CleanText, nullable=False),
    Column("text_id", Digest),  # NULL while the answer grows, or when it never ended
    Column("unfinished_text", CleanText),
    Column("reasoning", CleanText, nullable=False),
    Column("finish_reason", CleanText),
    Column("parts", CleanJson),  # what is not text: tool calls, images, audio, sources
    Index("answers_by_text", "owner", "text_id"),
)

texts = Table(
    "texts",
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("id", Digest, primary_key=True),
    Column("text", CleanText, nullable=False),
)

message_nodes = Table(
    "message_nodes",
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("hash", Digest, primary_key=True),
    Column("parent", Digest),
    Column("role", CleanText, nullable=False),
    Column("text_id", Digest, nullable=False),
    Column("images", CleanJson),  # ids
    Index("message_nodes_by_parent", "owner", "parent"),
    Index("message_nodes_by_text", "owner", "text_id"),
)


COUNTED = (
    *("calls", "reported", "gateway", "estimated", "unknown", "unbilled", "unpriced", "ended_early"),
    *("cost_reported", "cost_own", "cost_free"),
)
TOKENS = ("prompt", "completion", "reasoning", "cached")


def _sums() -> list[Column[Any]]:
    return [
        *(Column(name, Whole, nullable=False) for name in COUNTED),
        *(Column(f"{kind}_tokens", Whole, nullable=False) for kind in TOKENS),
        *(Column(f"{kind}_known", Whole, nullable=False) for kind in TOKENS),
        Column("cost", Float, nullable=False),
        Column("cost_known", Whole, nullable=False),
        Column("first_at", Whole, nullable=False),
        Column("last_at", Whole, nullable=False),
    ]


def _keys(*names: str) -> list[Column[Any]]:
    return [
        Column(name, _KEY if name in ("at", "bin") else CleanText, primary_key=True, autoincrement=False)
        for name in ("owner", *names)
    ]


_FACTS = ("page", "endpoint", "model", "outcome")
"""What the calls of a row of sums have in common; `outcome` is how they went, see lib/calls/call_outcome.py.
In SQLite these tables are their own index (WITHOUT ROWID): half as large, and read in the order of their keys."""
usage_models = Table("usage_models", metadata, *_keys(*_FACTS), *_sums(), sqlite_with_rowid=False)
usage_sessions = Table("usage_sessions", metadata, *_keys("session", *_FACTS), *_sums(), sqlite_with_rowid=False)
# Days in UTC, and of each of them every chat and sweep ("": neither, or none that is there any more).
# In the order in which the page's questions group their rows, so that none has to be sorted; so is usage_spread.
_BY_MODEL = ("endpoint", "model", "page", "outcome")
usage_days = Table("usage_days", metadata, *_keys("at", *_BY_MODEL), *_sums(), sqlite_with_rowid=False)
usage_places = Table("usage_places", metadata, *_keys("at", "place", *_FACTS), *_sums(), sqlite_with_rowid=False)
# Quarters of an hour: a year has a hundred thousand rows, so they are short.
usage_quarters = Table(
    "usage_quarters",
    metadata,
    *_keys("at", *_FACTS),
    Column("calls", Whole, nullable=False),
    *(Column(f"{kind}_{what}", Whole, nullable=False) for kind in TOKENS[:2] for what in ("tokens", "known")),
    sqlite_with_rowid=False,
)
usage_spread = Table(
    "usage_spread",
    metadata,
    *_keys("kind", "endpoint", "model", "bin", "page", "outcome"),  # see lib/calls/usage_spread.py
    Column("calls", Whole, nullable=False),
    sqlite_with_rowid=False,
)

chats = Table(
    "chats",
    metadata,
    Column("id", CleanText, primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("updated_at", Whole, nullable=False),
    Column("deleted_at", Whole),
    Column("head", CleanText),
    Column("model", CleanText),  # `endpoint/model id`; NULL, as `settings`: nothing was set yet
    Column("settings", CleanJson),  # {"system", "others", "params"}, see lib/chat/form.py
    Index("chats_by_owner", "owner", "updated_at"),
)

messages = Table(
    "messages",
    metadata,
    _sequence(),
    Column("id", CleanText, nullable=False, unique=True),
    Column("owner", CleanText, nullable=False),
    Column("chat_id", CleanText, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", CleanText, ForeignKey("messages.id", ondelete="CASCADE")),
    Column("role", CleanText, nullable=False),
    Column("text_id", Digest),  # of an answer that goes on with a text: that text; NULL: all is in the call's choice
    Column("images", CleanJson),  # ids
    Column("call_id", CleanText),
    Column("choice", Whole, nullable=False),
    Column("together", CleanText),  # what answers of several models to one question have in common
    Column("left_out", Whole, nullable=False, server_default="0"),
    Column("made_by", CleanJson),  # of an answer that was brought in: {"service", "model", "settings"}
    Column("created_at", Whole, nullable=False),
    Column("deleted_at", Whole),
    Index("messages_by_chat", "chat_id"),
    Index("messages_by_parent", "parent_id"),
    Index("messages_by_text", "owner", "text_id", **_where("text_id IS NOT NULL")),
    sqlite_autoincrement=True,
)

images = Table(
    "images",
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("id", CleanText, primary_key=True),
    Column("url", CleanText, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("name", CleanText, primary_key=True),
    Column("value", CleanJson, nullable=False),
)

refused_params = Table(
    "learned",  # its name before; it has always held what models refuse
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("base_url", CleanText, primary_key=True),
    Column("model", CleanText, primary_key=True),
    Column("param", CleanText, primary_key=True),
    Column("learned_at", Whole, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", CleanText, primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("session", CleanText, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("plan", CleanJson, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("deleted_at", Whole),
    Column("pick", CleanText),  # the cell whose model and temperature somebody chose
    Column("rules", CleanJson),  # what an answer has to pass
    Column("report", CleanJson),  # its title, its author, what it shows
    Column("forecast", CleanJson),  # what was foreseen before it ran
    Index("sweeps_by_owner", "owner", "created_at"),
)

cells = Table(
    "cells",
    metadata,
    Column("id", CleanText, primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("sweep_id", CleanText, ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
    Column("row", Whole, nullable=False),
    Column("column", Whole, nullable=False),
    Column("repeat", Whole, nullable=False),
    Column("model", CleanText, nullable=False),
    Column("temperature", Float),
    Column("input", Whole, nullable=False, server_default="0"),  # which values the prompt's variables have
    Column("variant", Whole, nullable=False, server_default="0"),  # which value of the further axis
    Index("cells_by_sweep", "sweep_id", "row", "column", "repeat"),
)

paces = Table(
    "paces",
    metadata,
    Column("owner", CleanText, primary_key=True),
    Column("base_url", CleanText, primary_key=True),
    Column("model", CleanText, primary_key=True),  # "": all models of the service together
    Column("rate", Float, nullable=False),  # requests a second
    Column("burst", Whole, nullable=False),
    Column("learned_at", Whole, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("owner", CleanText, primary_key=True),
    # The call and not its cell: another attempt is another answer.
    Column("call_id", CleanText, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("rater", CleanText, primary_key=True),  # "": the person; else the model that was asked
    Column("stars", Whole),  # 1 to 5
    Column("thumb", Whole),  # 1 up, -1 down
    Column("note", CleanText, nullable=False),
    Column("rated_at", Whole, nullable=False),
    Index("ratings_by_call", "call_id"),
)

shared_links = Table(
    "shared_links",
    metadata,
    Column("hash", Digest, primary_key=True),  # of what stands in the link's address
    Column("owner", CleanText, nullable=False),
    Column("chat_id", CleanText, ForeignKey("chats.id", ondelete="CASCADE")),
    Column("sweep_id", CleanText, ForeignKey("sweeps.id", ondelete="CASCADE")),
    Column("title", CleanText, nullable=False),
    Column("page", CleanText, nullable=False),  # HTML, as it was when the link was made
    Column("made_at", Whole, nullable=False),
    Column("ends_at", Whole, nullable=False),
    Index("shared_links_by_owner", "owner", "made_at"),
    Index("shared_links_by_chat", "chat_id"),
    Index("shared_links_by_sweep", "sweep_id"),
)

passing = MetaData()
"""What several processes that work on one PostgreSQL database tell each other; SQLite has no such tables, and a backup
none of their rows."""

sweep_runs = Table(
    "sweep_runs",
    passing,
    Column("sweep_id", CleanText, ForeignKey(sweeps.c.id, ondelete="CASCADE"), primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("session", CleanText, nullable=False),
    Column("over_budget", Boolean, nullable=False),  # whether it was said that it may pass the budgets
    Column("began_at", Whole, nullable=False),
    Column("ended_at", Whole),
    Column("stopping", Boolean, nullable=False),
    Column("stopped_cells", CleanJson, nullable=False),  # whose answers are to be ended, by id
    Column("trouble", CleanJson),  # what kept the rest from being sent: an error's record
    Column("outlook", CleanJson),  # see lib/sweep/run.py
    Column("spent", Float, nullable=False),  # US dollars, by ended calls, of what the sweep may cost
    Column("zone", CleanText, nullable=False),  # where its owner's days begin, in names as Europe/Berlin
    Index("sweep_runs_by_owner", "owner", "ended_at"),
)

due_cells = Table(
    "due_cells",
    passing,
    Column("cell_id", CleanText, ForeignKey(cells.c.id, ondelete="CASCADE"), primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("sweep_id", CleanText, ForeignKey(sweeps.c.id, ondelete="CASCADE"), nullable=False),
    Column("row", Whole, nullable=False),
    Column("column", Whole, nullable=False),
    Column("place", Whole, nullable=False),  # in the plan's order
    Column("attempts", Whole, nullable=False),  # how often it was tried before
    Index("due_cells_by_sweep", "sweep_id", "row", "place"),
)

reservations = Table(
    "reservations",
    passing,
    Column("call_id", CleanText, primary_key=True),
    Column("owner", CleanText, nullable=False),
    Column("session", CleanText, nullable=False),
    Column("sweep_id", CleanText),  # of a sweep that workers send
    Column("process", CleanText, nullable=False),
    Column("began_at", Whole, nullable=False),
    Column("tokens", Whole),  # at worst; NULL: nobody can tell
    Column("cost", Float),  # US dollars, in the same way
    Index("reservations_by_owner", "owner"),
    Index("reservations_by_sweep", "sweep_id"),
)

cap_use = Table(
    "cap_use",
    passing,
    Column("owner", CleanText, primary_key=True),  # "": all together
    Column("hour", Whole, primary_key=True, autoincrement=False),  # its beginning
    Column("calls", Whole, nullable=False),
    Column("tokens", Whole, nullable=False),
    Column("cost", Float, nullable=False),  # US dollars
)

gates = Table(
    "gates",
    passing,
    Column("owner", CleanText, primary_key=True),
    Column("base_url", CleanText, primary_key=True),
    Column("model", CleanText, primary_key=True),  # "": all models of the service together
    Column("state", CleanJson, nullable=False),  # see lib/sweep/shared_gates.py
    Column("changed_at", Whole, nullable=False),
)

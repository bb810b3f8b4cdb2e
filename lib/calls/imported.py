"""Calls that were made elsewhere and come in from a file: their figures alone, without any text."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, select

from lib.calls import usage_rollups
from lib.calls.records import FACTS, IMPORTED, CallRecord, usage_columns
from lib.gateway.usage_report import MOST_DOLLARS, MOST_TOKENS
from lib.store.schema import call_details, calls
from lib.store.statements import chunks

Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)] | None
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None
Dollars = Annotated[float, Field(ge=0, le=MOST_DOLLARS, allow_inf_nan=False)] | None
Word = Annotated[str, Field(max_length=500)]
"""What a figure or a name in such a file may be."""


def add(conn: Connection, owner: str, some: Sequence[CallRecord]) -> int:
    """Store those of the calls, which come newest first, that this owner does not have yet by their ids; how many
    there were. They belong to no session, chat or sweep, and no budget counts them."""
    found = {row["id"]: row for part in chunks(some) for row in _new(conn, owner, part)}
    # The oldest first: of two that began in the same second the later one has the higher number.
    for part in chunks(sorted(reversed(found.values()), key=lambda row: row["started_at"])):
        conn.execute(calls.insert(), part)
        # any owner: the calls just stored.
        seqs = list(conn.execute(select(calls.c.seq).where(calls.c.id.in_([row["id"] for row in part]))).scalars())
        conn.execute(call_details.insert(), [_NO_DETAILS | {"call_seq": seq} for seq in seqs])
    usage_rollups.count(conn)
    return len(found)


def id_for(owner: str, call_id: str) -> str:
    """Under which id a call is stored for `owner` where somebody else on the same database has it under its own."""
    return hashlib.sha256(f"{owner}\n{call_id}".encode()).hexdigest()[:32]


_NO_DETAILS: dict[str, Any] = {
    "params_asked": {},
    "params_sent": {},
    "error_text": "",
    "error_record": {},
    "usage_received": None,
    "attempt_times": [],
}


def _new(conn: Connection, owner: str, part: Sequence[CallRecord]) -> list[dict[str, Any]]:
    """The rows of calls that are not there."""
    theirs = {call.id: id_for(owner, call.id) for call in part}
    there: dict[str, str] = {}
    for ids in chunks([*theirs, *theirs.values()]):
        # any owner: an id is unique among all owners, and whose it is decides.
        there |= {
            row.id: row.owner for row in conn.execute(select(calls.c.id, calls.c.owner).where(calls.c.id.in_(ids)))
        }
    rows: dict[str, dict[str, Any]] = {}
    for call in part:
        id = call.id if there.get(call.id, owner) == owner else theirs[call.id]
        if id not in there and theirs[call.id] not in there:
            rows.setdefault(id, _row(call, owner, id))
    return list(rows.values())


def _row(call: CallRecord, owner: str, id: str) -> dict[str, Any]:
    # As of a temporary chat: counted, without a word.
    nothing = dict.fromkeys(
        ("chat_id", "sweep_id", "cell_id", "tip", "request_hash", "prompt_price", "completion_price")
    )
    return {
        **{name: getattr(call, name) for name in FACTS},
        **usage_columns(call.usage),
        **nothing,
        "id": id,
        "owner": owner,
        "session": IMPORTED,
        "process": IMPORTED,
        "attempt": 1,
        "temporary": True,
        "uncounted": True,
        "cost_reported": call.cost if call.cost_source == "reported" else None,
    }

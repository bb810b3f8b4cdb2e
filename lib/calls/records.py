"""Call records: `started` before the first byte leaves, then exactly one final state.

    started -> ok | partial | error | cancelled | interrupted

A call of a temporary chat is counted like any other, but its texts are never stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, func, select, update

from lib.core.clock import now
from lib.core.contract import Call, Choice, Message, Outcome, Page, Reply, State, Usage
from lib.core.errors import Billed
from lib.store import image_store
from lib.store import process_lock as processes
from lib.store.schema import calls


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the store knows it. `started_at` is in microseconds since 1970 (UTC), `cost` in US dollars at list
    prices; None is "not known", or for a cost "no price"."""

    id: str
    owner: str
    session: str
    page: Page
    endpoint: str
    cell_id: str | None
    attempt: int
    model: str
    model_answered: str
    params_asked: Mapping[str, Any]
    params_sent: Mapping[str, Any]
    state: State
    choices: tuple[Choice, ...]
    usage: Usage
    started_at: int
    seconds: float | None
    first_token_seconds: float | None
    finish_reason: str | None
    error_kind: str
    error_text: str
    error_record: Mapping[str, Any]
    request_id: str
    billed: Billed
    attempts: int
    cost: float | None


_FACTS = tuple(field.name for field in fields(CallRecord) if field.name not in ("choices", "usage"))
_USAGE = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "usage_source")
COLUMNS = [calls.c[name] for name in (*_FACTS, "choices", *_USAGE)]
"""What a CallRecord is made of, in the order `record` takes it; the conversation sent is too large to be among it."""


def this_process() -> str:
    """The name under which this process records its calls."""
    return processes.ID


def start_call(conn: Connection, call: Call, process: str, started_at: int | None = None) -> None:
    """Record a call that is about to be made by `process`, or was begun at `started_at`. A further call of the same
    cell is its next attempt."""
    params = call.request.params.to_send()
    texts = None if call.temporary else image_store.to_stored(conn, call.owner, call.request.messages)
    row = {
        "id": call.id,
        "owner": call.owner,
        "session": call.session,
        "page": call.page,
        "cell_id": call.cell_id,
        "attempt": _next_attempt(conn, call),
        "endpoint": call.endpoint,
        "model": call.request.model,
        "params_asked": params,
        "params_sent": call.request.sent,
        "messages": texts,
        "state": "started",
        "started_at": now() if started_at is None else started_at,
        "seconds": None,
        "first_token_seconds": None,
        "error_kind": "",
        "error_text": "",
        "error_record": {},
        "billed": "unknown",
        "attempts": 1,
        "cost": None,
        "process": process,
    }
    # As a parameter: SQLAlchemy then compiles the statement once, which `values` would not let it.
    conn.execute(calls.insert(), row | _answered(Reply(), call.temporary))


def checkpoint(conn: Connection, call_id: str, reply: Reply) -> None:
    """Save what has come so far; nothing happens once the call has ended."""
    # any owner: the runner names its own call; no visitor's id comes here.
    values = _answered(reply, _is_temporary(conn, call_id))
    conn.execute(update(calls).where(calls.c.id == call_id, calls.c.state == "started").values(values))


def finish_call(
    conn: Connection,
    call_id: str,
    outcome: Outcome,
    params_sent: Mapping[str, Any] | None = None,
    late: bool = False,
) -> bool:
    """Record how a call ended; False, and nothing changed, when it had ended before.

    `params_sent` are the parameters that reached the service, where they are not those asked for. Where `late`, it also
    takes the place of *interrupted*, which somebody else wrote who took the call's process for dead.
    """
    temporary = _is_temporary(conn, call_id)
    values = {
        **_answered(outcome.reply, temporary),
        "state": outcome.state,
        "seconds": outcome.seconds,
        "first_token_seconds": outcome.first_token_seconds,
        "error_kind": outcome.error_kind,
        "error_text": "" if temporary else outcome.error_text,
        "error_record": dict(outcome.error_record),
        "billed": outcome.billed,
        "attempts": outcome.attempts,
        "cost": outcome.cost,
    }
    if params_sent is not None:
        values["params_sent"] = dict(params_sent)
    open_states = ("started", "interrupted") if late else ("started",)
    # any owner: the runner names its own call; no visitor's id comes here.
    done = conn.execute(update(calls).where(calls.c.id == call_id, calls.c.state.in_(open_states)).values(values))
    return done.rowcount == 1


def dead_processes(conn: Connection, process: str) -> set[str]:
    """The processes that left calls open and seem dead; `process` is the caller's own."""
    # any owner: a process dies for all its visitors at once.
    found = conn.execute(select(calls.c.process).where(calls.c.state == "started").distinct()).scalars()
    return {name for name in found if name != process and not processes.is_alive(conn, name)}


def interrupt_orphans(conn: Connection, process: str, among: Collection[str] | None = None) -> int:
    """Close the calls that dead processes left open, keeping what had come; how many there were.

    `process` is the caller's own. Calls of any living process are left alone, and with `among` those of all others.
    """
    dead = dead_processes(conn, process)
    dead = dead if among is None else dead & set(among)
    # any owner: as above.
    orphans = update(calls).where(calls.c.state == "started", calls.c.process.in_(dead))
    return conn.execute(orphans.values(state="interrupted", billed="unknown")).rowcount if dead else 0


def call_of(conn: Connection, owner: str, call_id: str) -> CallRecord | None:
    """One call; None when this owner has none of that id."""
    row = conn.execute(select(*COLUMNS).where(calls.c.owner == owner, calls.c.id == call_id)).first()
    return None if row is None else record(row)


def calls_of(conn: Connection, owner: str, session: str | None = None, limit: int = 1000) -> list[CallRecord]:
    """The owner's last calls, newest first; with `session` only those of that browser session."""
    query = select(*COLUMNS).where(calls.c.owner == owner).order_by(calls.c.seq.desc()).limit(limit)
    if session is not None:
        query = query.where(calls.c.session == session)
    return [record(row) for row in conn.execute(query)]


def messages_of(conn: Connection, owner: str, call_id: str) -> list[Message]:
    """The conversation that a call sent; empty for a temporary chat and for an unknown id."""
    query = select(calls.c.messages).where(calls.c.owner == owner, calls.c.id == call_id)
    return image_store.from_stored(conn, owner, conn.execute(query).scalar() or [])


def record(values: Sequence[Any]) -> CallRecord:
    """A call from the values of `COLUMNS`."""
    end = len(_FACTS)
    facts = dict(zip(_FACTS, values[:end], strict=True))
    return CallRecord(**facts, choices=_choices(values[end]), usage=Usage(*values[end + 1 :]))


def _choices(stored: Sequence[Mapping[str, Any]]) -> tuple[Choice, ...]:
    return tuple(
        Choice([choice["text"]], [choice["reasoning"]] if choice["reasoning"] else [], choice["finish_reason"])
        for choice in stored
    )


def _answered(reply: Reply, temporary: bool) -> dict[str, Any]:
    """The columns that grow with the answer; of a temporary chat without its words."""
    choices = list(reply.choices)  # the reply may grow meanwhile, in another thread
    return {
        "model_answered": reply.model,
        "request_id": reply.request_id,
        "choices": [
            {
                "text": "" if temporary else choice.text,
                "reasoning": "" if temporary else choice.reasoning,
                "finish_reason": choice.finish_reason,
            }
            for choice in choices
        ],
        "finish_reason": choices[0].finish_reason if choices else None,
        "prompt_tokens": reply.usage.prompt_tokens,
        "completion_tokens": reply.usage.completion_tokens,
        "reasoning_tokens": reply.usage.reasoning_tokens,
        "cached_tokens": reply.usage.cached_tokens,
        "usage_source": reply.usage.source,
    }


def _is_temporary(conn: Connection, call_id: str) -> bool:
    # any owner: asked only for the runner's own calls.
    return bool(conn.execute(select(calls.c.messages.is_(None)).where(calls.c.id == call_id)).scalar())


def _next_attempt(conn: Connection, call: Call) -> int:
    if call.cell_id is None:
        return 1
    query = select(func.max(calls.c.attempt)).where(calls.c.owner == call.owner, calls.c.cell_id == call.cell_id)
    return (conn.execute(query).scalar() or 0) + 1

"""Call records: `started` before the first byte leaves, then exactly one final state.

    started -> ok | partial | error | cancelled | interrupted

A call of a temporary chat is counted like any other, but its texts are never stored.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Row,
    RowMapping,
    Select,
    Update,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from lib.calls import reservations, usage_rollups
from lib.calls.usage_spread import LEAST_WRITING_SECONDS
from lib.core.clock import now
from lib.core.errors import Billed, GatewayTimeout
from lib.core.parts import Part
from lib.core.reply import Choice, CostSource, Reply, State, Usage
from lib.core.request import Call, Message, Page
from lib.store import kept_parts, message_nodes, process_lock, texts
from lib.store.prepared import Prepared
from lib.store.schema import PRICE_CURRENCY, answers, call_details, calls
from lib.store.schema import texts as texts_table
from lib.store.statements import chunks, insert_into, unindexed

IMPORTED = "imported"
"""The process of calls that were brought in from a file: they were made elsewhere, and count in no budget."""
MAY_BE_BILLED = (GatewayTimeout.kind,)
"""Kinds of errors after which a call is sent once more although the service may have worked for it."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the store knows it. `started_at` is in microseconds since 1970 (UTC), `cost` in US dollars, as the
    service reports it or at list prices; None is "not known", or for a cost "no price". In lists for figures alone
    `choices`, parameters and errors' texts are empty."""

    id: str
    owner: str
    session: str
    page: Page
    endpoint: str
    cell_id: str | None
    attempt: int
    model: str
    model_answered: str
    state: State
    usage: Usage
    started_at: int
    seconds: float | None
    first_token_seconds: float | None
    finish_reason: str | None
    error_kind: str
    request_id: str
    billed: Billed
    attempts: int
    cost: float | None
    cost_source: CostSource
    params_asked: Mapping[str, Any] = field(default_factory=dict)
    params_sent: Mapping[str, Any] = field(default_factory=dict)
    error_text: str = ""
    error_record: Mapping[str, Any] = field(default_factory=dict)
    attempt_times: Sequence[Mapping[str, Any]] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def sent_before(self) -> int:
        """How many attempts before the last one reached the service and may be billed as well."""
        return sum(one.get("error") in MAY_BE_BILLED for one in self.attempt_times[:-1])

    @property
    def speed(self) -> float | None:
        """Tokens a second, from the first word on; None of an answer that came at once, and where it is not known."""
        writing, tokens = (self.seconds or 0) - (self.first_token_seconds or 0), self.usage.completion_tokens
        return tokens / writing if tokens and writing >= LEAST_WRITING_SECONDS else None

    def choice(self, index: int = 0) -> Choice:
        """One of its choices; an empty one where it has not come."""
        return self.choices[index] if index < len(self.choices) else Choice()


FACTS = (
    *("id", "owner", "session", "page", "endpoint", "cell_id", "attempt", "model", "model_answered", "state"),
    *("started_at", "seconds", "first_token_seconds", "finish_reason", "error_kind", "request_id", "billed"),
    *("attempts", "cost", "cost_source"),
)
"""The facts of a call that its row and its record have under the same names."""
_DETAILS = ("params_asked", "params_sent", "error_text", "error_record", "attempt_times")
_AS_IN_REPLY = (
    *("state", "usage", "seconds", "first_token_seconds", "finish_reason", "cost", "cost_source", "billed"),
    *("error_kind", "error_text", "error_record", "request_id", "attempts", "attempt_times"),
)
USAGE = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "usage_source")
FIGURES = [calls.c[name] for name in (*FACTS, *USAGE)]
"""What a record for figures alone is made of; `figures` takes it by these names."""
COLUMNS = [
    *(*FIGURES, calls.c.seq.label("call_seq")),
    *(call_details.c[name] for name in (*_DETAILS, "usage_received")),
]
"""What a whole record is made of, its answers apart; `record` takes it by these names."""
ANSWER = [
    answers.c.call_seq,
    answers.c.choice,
    func.coalesce(texts_table.c.text, answers.c.unfinished_text, "").label("text"),
    answers.c.reasoning,
    answers.c.finish_reason.label("choice_finish_reason"),
    answers.c.parts,
]
ANSWER_TEXT = (texts_table.c.owner == answers.c.owner) & (texts_table.c.id == answers.c.text_id)
"""How an answer finds its text."""
OWNER: BindParameter[str] = bindparam("owner")
Answers = dict[int, tuple[Choice, ...]]
"""The choices of calls, by the calls' numbers (`call_seq`)."""


def _inserting_call(_dialect: str) -> Insert:
    # Its number is asked for by the next one.
    return calls.insert().inline().values(_figures(_NO_REPLY) | _ended(_NO_REPLY) | _NEW)


def _inserting_details(_dialect: str) -> Insert:
    # any owner: the call was recorded a moment ago.
    seq = select(calls.c.seq).where(calls.c.id == bindparam("id")).scalar_subquery()
    return call_details.insert().values(call_seq=seq, **_details(_NO_REPLY, temporary=True))


def _attempts(_dialect: str) -> Select[Any]:
    return select(func.max(calls.c.attempt)).where(calls.c.owner == OWNER, calls.c.cell_id == bindparam("cell"))


class _Open(NamedTuple):
    """What has to be known of a call to write what came of it."""

    seq: int
    owner: str
    state: State
    temporary: bool


def _one_call(_dialect: str) -> Select[Any]:
    # any owner: asked only for the runner's own calls.
    query: Select[Any] = select(calls.c.seq, calls.c.owner, calls.c.state, calls.c.temporary)
    # Another process may close the call as interrupted at this moment; SQLite leaves FOR UPDATE out, as its writing
    # transaction keeps all others out.
    return query.where(calls.c.id == bindparam("id")).with_for_update()


def _updating_call(_dialect: str) -> Update:
    # any owner: the runner names its own call; no visitor's id comes here.
    return update(calls).where(calls.c.seq == bindparam("of"))


def _updating_details(_dialect: str) -> Update:
    # any owner: as above.
    return update(call_details).where(call_details.c.call_seq == bindparam("of"))


def _saving_answers(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = insert_into(answers, dialect)
    changed = ("text_id", "unfinished_text", "reasoning", "finish_reason", "parts")
    return insert.on_conflict_do_update(
        index_elements=["call_seq", "choice"], set_={name: insert.excluded[name] for name in changed}
    )


def usage_columns(usage: Usage) -> dict[str, Any]:
    """The columns of a usage, as `usage_of` takes them."""
    return {name: getattr(usage, "source" if name == "usage_source" else name) for name in USAGE}


def _figures(reply: Reply) -> dict[str, Any]:
    """The columns of `calls` that grow with the answer."""
    return {
        "model_answered": reply.model,
        "request_id": reply.request_id,
        "finish_reason": reply.finish_reason,
        **usage_columns(reply.usage),
    }


def _ended(reply: Reply) -> dict[str, Any]:
    """The columns of `calls` that are known when the call has ended."""
    prompt_price, completion_price = reply.price or (None, None)
    return {
        "state": reply.state,
        "seconds": reply.seconds,
        "first_token_seconds": reply.first_token_seconds,
        "error_kind": reply.error_kind,
        "billed": reply.billed,
        "attempts": reply.attempts,
        "cost": reply.cost,
        "cost_source": reply.cost_source,
        "cost_reported": reply.usage.cost,
        "prompt_price": prompt_price,
        "completion_price": completion_price,
    }


def _details(reply: Reply, temporary: bool) -> dict[str, Any]:
    """The columns of `call_details` that are known when the call has ended; of a temporary chat without its words."""
    return {
        "error_text": "" if temporary else reply.error_text,
        "error_record": dict(reply.error_record),
        "usage_received": None if reply.usage.received is None else dict(reply.usage.received),
        "attempt_times": [dict(times) for times in reply.attempt_times],
    }


_NO_REPLY = Reply(billed="unknown")
"""What a call has that begins: the same for all, so that it stands in the statements."""

# The columns of a call by who writes them: `start_call` writes all, _BEGUN as they are known of the call, _NEW as they
# are of each new one, the others as _NO_REPLY has them; then `checkpoint` writes _GROWING, again and again, and
# `finish_call` _GROWING and _FINAL.
_NEW = {"seconds": None, "uncounted": True, "price_currency": PRICE_CURRENCY}
_GROWING, _FINAL = tuple(_figures(_NO_REPLY)), tuple(_ended(_NO_REPLY))
_BEGUN = [column.name for column in calls.c if column.name not in (*_GROWING, *_FINAL, *_NEW, "seq")]
_FINAL_DETAILS = tuple(_details(_NO_REPLY, temporary=True))

_INSERT_CALL = Prepared(_inserting_call, _BEGUN)
_INSERT_DETAILS = Prepared(_inserting_details, ["params_asked", "params_sent"])
_ATTEMPTS = Prepared(_attempts)
_CALL = Prepared(_one_call)
_UPDATE_FIGURES = Prepared(_updating_call, _GROWING)
_UPDATE_CALL = Prepared(_updating_call, [*_GROWING, *_FINAL])
_UPDATE_DETAILS = Prepared(_updating_details, _FINAL_DETAILS)
_UPDATE_ALL_DETAILS = Prepared(_updating_details, ["params_sent", *_FINAL_DETAILS])
_SAVE_ANSWERS = Prepared(_saving_answers, [column.name for column in answers.c])


def start_call(
    conn: Connection, call: Call, process: str, started_at: int | None = None, attempt: int | None = None
) -> None:
    """Record a call that is about to be made by `process`, or was begun at `started_at`. A further call of the same
    cell is its next attempt, which whoever has counted them names."""
    params = call.request.params.to_send()
    tip = None if call.temporary else message_nodes.keep(conn, call.owner, call.request.messages)
    row = {
        "id": call.id,
        "owner": call.owner,
        "session": call.session,
        "page": call.page,
        "chat_id": call.chat_id,
        "sweep_id": call.sweep_id,
        "cell_id": call.cell_id,
        "attempt": _next_attempt(conn, call) if attempt is None else attempt,
        "temporary": call.temporary,
        "endpoint": call.endpoint,
        "model": call.request.model,
        "tip": tip,
        "request_hash": request_hash(call.request.model, tip, params),
        "started_at": now() if started_at is None else started_at,
        "process": process,
    }
    _INSERT_CALL.run(conn, row)
    asked, sent = (_numbers(named) if call.temporary else named for named in (params, call.request.params_sent))
    _INSERT_DETAILS.run(conn, {"id": call.id, "params_asked": asked, "params_sent": sent})


def attempts_at(conn: Connection, owner: str, cell_id: str) -> int:
    """How often a cell was tried."""
    (most,) = _ATTEMPTS.run(conn, {"owner": owner, "cell": cell_id}).fetchone()
    return most or 0


def cell_of(conn: Connection, owner: str, call_id: str) -> str | None:
    """The cell that a recorded call is made for; None where none of that id is recorded."""
    return conn.execute(select(calls.c.cell_id).where(calls.c.owner == owner, calls.c.id == call_id)).scalar()


def _numbers(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a temporary chat's call that are no texts: of those nothing is kept."""
    return {name: value for name, value in params.items() if isinstance(value, int | float)}


def request_hash(model: str, tip: str | None, params: Mapping[str, Any]) -> str | None:
    """What a request asks, whoever is asked: SHA-256 over model, conversation and parameters, its first 128 bits in
    hex. None for a call whose conversation is not stored."""
    if tip is None:
        return None
    canonical = json.dumps([model, tip, params], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def checkpoint(conn: Connection, call_id: str, reply: Reply) -> None:
    """Save what has come so far; nothing happens once the call has ended."""
    call = _running(conn, call_id)
    if call is not None:
        _UPDATE_FIGURES.run(conn, {"of": call.seq} | _figures(reply))
        _save_answers(conn, call, reply, ended=False)


def finish_call(
    conn: Connection, call_id: str, reply: Reply, params_sent: Mapping[str, Any] | None = None, late: bool = False
) -> bool:
    """Record how a call ended; False, and nothing changed, when it had ended before.

    `params_sent` are the parameters that reached the service, where they are not those asked for. A `late` record is
    also taken of a call that was closed as interrupted meanwhile.
    """
    reservations.settle(conn, call_id, reply)
    states: tuple[State, ...] = ("started", "interrupted") if late else ("started",)
    call = _running(conn, call_id, states)
    if call is None:
        return False
    # While the row still is what was counted: closed as interrupted, without this answer's tokens.
    if call.state != "started":
        usage_rollups.uncount(conn, [call.seq])
    _UPDATE_CALL.run(conn, {"of": call.seq} | _figures(reply) | _ended(reply))
    usage_rollups.call_ended(conn, call.seq)
    details = {"of": call.seq} | _details(reply, call.temporary)
    if params_sent is None:
        _UPDATE_DETAILS.run(conn, details)
    else:
        sent = _numbers(params_sent) if call.temporary else dict(params_sent)
        _UPDATE_ALL_DETAILS.run(conn, details | {"params_sent": sent})
    _save_answers(conn, call, reply, ended=True)
    return True


def give_texts(conn: Connection, call: Call, known_as: str, reply: Reply) -> bool:
    """Let a call that is stored without a word, because its figures came in from a file or its texts were deleted, be
    `call`, which says `reply`; what it counts stays. False where its owner has no such one under the id `known_as`."""
    query: Select[Any] = select(calls.c.seq, calls.c.owner, calls.c.state, calls.c.temporary)
    mine, named = calls.c.owner == call.owner, calls.c.id == known_as
    silent = calls.c.temporary & (calls.c.state != "started")
    if conn.execute(query.where(mine, named, silent)).first() is None:
        return False
    tip = message_nodes.keep(conn, call.owner, call.request.messages)
    told = {"sweep_id": call.sweep_id, "cell_id": call.cell_id, "attempt": 1, "tip": tip, "temporary": False}
    seq = conn.execute(query.where(mine, named)).scalar_one()
    usage_rollups.uncount(conn, [seq])
    conn.execute(update(calls).where(calls.c.owner == call.owner, named).values(told))
    usage_rollups.call_ended(conn, seq)  # among those of its sweep from now on
    row = _Open(*conn.execute(query.where(mine, named)).one())
    asked = {"params_asked": call.request.params.to_send(), "params_sent": call.request.params_sent}
    # any owner: the call is the owner's, as found above.
    conn.execute(update(call_details).where(call_details.c.call_seq == row.seq).values(asked))
    _save_answers(conn, row, reply, ended=True)
    return True


def is_stored(conn: Connection, id: str) -> bool:
    """Whether there is a call under an id, whoever's it is."""
    # any owner: an id is unique among all owners, and no other word of the call is read.
    return conn.execute(select(calls.c.seq).where(calls.c.id == id)).first() is not None


def delete_calls(conn: Connection, owner: str, ids: Sequence[str]) -> None:
    """Remove calls for good, with the texts that no other call of their owner has; the sums shrink with them."""
    rows: list[Row[Any]] = []
    for some in chunks(ids):
        facts = (calls.c.seq, calls.c.tip, calls.c.started_at, calls.c.session)
        rows += conn.execute(select(*facts).where(unindexed(calls.c.owner) == owner, calls.c.id.in_(some)))
    seqs = [row.seq for row in rows]
    # Read before the calls go: their answers go with them (ON DELETE CASCADE).
    kept = _kept_of(conn, owner, seqs)
    usage_rollups.before_removal(conn, seqs)
    for some in chunks(seqs):
        conn.execute(delete(calls).where(calls.c.owner == owner, calls.c.seq.in_(some)))
    # After the calls: a conversation is free when no call has its end any more.
    _free(conn, owner, [row.tip for row in rows], kept)
    # Last, from the calls that are left.
    usage_rollups.rebuild(conn, owner, {row.started_at for row in rows}, {row.session for row in rows})


def forget_texts(conn: Connection, owner: str, ids: Sequence[str]) -> None:
    """Remove what was said in calls, which stay counted as they are."""
    rows: list[Row[Any]] = []
    for part in chunks(ids):
        query = select(calls.c.seq, calls.c.tip).where(unindexed(calls.c.owner) == owner, calls.c.id.in_(part))
        rows += conn.execute(query)
    seqs = [row.seq for row in rows]
    kept = _kept_of(conn, owner, seqs)
    for some in chunks(seqs):
        # Like a call of a temporary chat from now on: counted, without a word.
        silent = {"tip": None, "request_hash": None, "temporary": True, "chat_id": None}
        there = calls.c.owner == owner, calls.c.seq.in_(some)
        usage_rollups.uncount(conn, some)
        # any owner: `there` names the owner.
        conn.execute(update(calls).where(*there).values(silent))
        usage_rollups.count(conn)  # of no chat any more
        conn.execute(delete(answers).where(answers.c.owner == owner, answers.c.call_seq.in_(some)))
        # any owner: the calls are the owner's, as found above.
        conn.execute(update(call_details).where(call_details.c.call_seq.in_(some)).values(error_text=""))
    _free(conn, owner, [row.tip for row in rows], kept)


def dead_processes(conn: Connection, process: str) -> set[str]:
    """The processes that left calls open, or something set aside for them, and seem dead; `process` is the caller's
    own."""
    # any owner: a process dies for all its visitors at once.
    found = set(conn.execute(select(calls.c.process).where(usage_rollups.running).distinct()).scalars())
    found |= reservations.processes_with_some(conn)
    return {name for name in found if name != process and not process_lock.is_alive(conn, name)}


def interrupt_orphans(conn: Connection, process: str, among: Collection[str] | None = None) -> int:
    """Close the calls that dead processes left open, keeping what had come; how many there were.

    `process` is the caller's own. Calls of any living process are left alone, and with `among` those of all others.
    """
    dead = dead_processes(conn, process)
    dead = dead if among is None else dead & set(among)
    if not dead:
        return 0
    # any owner: as above.
    orphans = usage_rollups.running, calls.c.process.in_(dead)
    # any owner: as above.
    closed = conn.execute(update(calls).where(*orphans).values(state="interrupted", billed="unknown")).rowcount
    usage_rollups.count(conn)
    reservations.close(conn, dead)
    return closed


def interrupt_unknown(conn: Connection, owner: str, sweep_id: str, process: str) -> None:
    """Close the calls of a sweep that `process` has recorded and makes no more; a late record is still taken."""
    mine = (calls.c.owner == owner, calls.c.sweep_id == sweep_id, calls.c.process == process)
    # any owner: `mine` names the owner.
    query = select(calls.c.seq, calls.c.id).where(*mine, calls.c.state == "started", calls.c.page == "sweep")
    rows = conn.execute(query).all()
    seqs = [row.seq for row in rows]
    for some in chunks(seqs):
        unknown = update(calls).where(calls.c.owner == owner, calls.c.seq.in_(some))
        conn.execute(unknown.values(state="interrupted", billed="unknown"))
    usage_rollups.count(conn)
    reservations.close_calls(conn, owner, [row.id for row in rows])


def call_of(conn: Connection, owner: str, call_id: str) -> CallRecord | None:
    """One call; None when this owner has none of that id."""
    return next(iter(found(conn, whole().where(calls.c.owner == owner, calls.c.id == call_id))), None)


def messages_of(conn: Connection, owner: str, call_id: str) -> list[Message]:
    """The conversation that a call sent; empty for a temporary chat and for an unknown id."""
    query = select(calls.c.tip).where(calls.c.owner == owner, calls.c.id == call_id)
    return message_nodes.load(conn, owner, conn.execute(query).scalar())


def body_of(conn: Connection, call: CallRecord) -> dict[str, Any]:
    """The body of a call's request, put together from what is stored: bodies are not kept, as each would hold the whole
    conversation once more."""
    sent = [message.to_send() for message in messages_of(conn, call.owner, call.id)]
    return {"model": call.model, "messages": sent, **call.params_sent}


def whole() -> Select[Any]:
    """A query for whole records of all calls, without their answers; the caller says whose and which."""
    # any owner: who uses this names the owner.
    return select(*COLUMNS).join(call_details, call_details.c.call_seq == calls.c.seq)


def record(facts: Mapping[str, Any], said: Answers) -> CallRecord:
    """A call from the values of `COLUMNS`, by name, and the answers read with them."""
    return CallRecord(
        **{name: facts[name] for name in FACTS},
        **{name: facts[name] for name in _DETAILS},
        usage=usage_of(facts),
        choices=said.get(facts["call_seq"], ()),
    )


def figures(facts: Mapping[str, Any] | RowMapping) -> CallRecord:
    """A call for figures alone, from the values of `FIGURES`, by name."""
    return CallRecord(**{name: facts[name] for name in FACTS}, usage=usage_of(facts))


def as_ended(reply: Reply) -> dict[str, Any]:
    """What a record says of a call that ended with `reply`, under the record's own names."""
    said = {name: getattr(reply, name) for name in _AS_IN_REPLY}
    return said | {"model_answered": reply.model, "choices": tuple(reply.choices)}


def by_call(rows: Sequence[Row[Any]]) -> Answers:
    """The choices of calls from rows of `ANSWER`, in the order of their numbers."""
    found: dict[int, list[Choice]] = {}
    for row in rows:
        thoughts = [row.reasoning] if row.reasoning else []
        choice = Choice([row.text], thoughts, row.choice_finish_reason, tuple(row.parts or ()))
        found.setdefault(row.call_seq, []).append(choice)
    return {seq: tuple(choices) for seq, choices in found.items()}


def named(row: Row[Any], names: Sequence[str]) -> dict[str, Any]:
    """A row's values under its own result's names; far quicker for many columns than asking for one after another."""
    return dict(zip(names, row, strict=True))


def found(
    conn: Connection, query: Select[Any], values: Mapping[str, Any] | None = None, answers: bool = True
) -> list[CallRecord]:
    """The records of the calls that `query`, made from `whole`, finds; `values` are those of its parameters. Without
    `answers` they have no choices."""
    result = conn.execute(query, values)
    names = tuple(result.keys())
    rows = [named(row, names) for row in result]
    said: Answers = {}
    for some in chunks(row["call_seq"] for row in rows if answers):
        said |= by_call(conn.execute(_answers_of(), {"seqs": some}).all())
    return [record(row, said) for row in rows]


@cache
def _answers_of() -> Select[Any]:
    """The answers of some calls."""
    # any owner: the calls were found as their owner's.
    wanted = select(*ANSWER).outerjoin(texts_table, ANSWER_TEXT)
    wanted = wanted.where(answers.c.call_seq.in_(bindparam("seqs", expanding=True)))
    return wanted.order_by(answers.c.call_seq, answers.c.choice)


def usage_of(facts: Mapping[str, Any] | RowMapping) -> Usage:
    """The usage of which `facts` has the columns, by name."""
    return Usage(
        prompt_tokens=facts["prompt_tokens"],
        completion_tokens=facts["completion_tokens"],
        reasoning_tokens=facts["reasoning_tokens"],
        cached_tokens=facts["cached_tokens"],
        source=facts["usage_source"],
        received=facts.get("usage_received"),
    )


def _save_answers(conn: Connection, call: _Open, reply: Reply, ended: bool) -> None:
    """Write the choices. While they grow their texts stand in their own rows; at the end each is stored once."""
    choices = list(reply.choices)  # the reply may grow meanwhile, in another thread
    if not choices:
        return
    said = ["" if call.temporary else choice.text for choice in choices]
    ids = texts.keep(conn, call.owner, said) if ended and not call.temporary else [None] * len(choices)
    rows = [
        {
            "call_seq": call.seq,
            "choice": index,
            "owner": call.owner,
            "text_id": ids[index],
            "unfinished_text": None if ended else said[index],
            "reasoning": "" if call.temporary else choice.reasoning,
            "finish_reason": choice.finish_reason,
            "parts": None if call.temporary else _kept_parts(conn, call.owner, choice, ended),
        }
        for index, choice in enumerate(choices)
    ]
    _SAVE_ANSWERS.run_each(conn, rows)


def _kept_parts(conn: Connection, owner: str, choice: Choice, ended: bool) -> list[Part] | None:
    # Sound comes in a thousand pieces, and each of its beginnings would be kept.
    return kept_parts.keep(conn, owner, [one for one in choice.parts if ended or one.get("type") != "audio"]) or None


def _running(conn: Connection, call_id: str, states: Sequence[State] = ("started",)) -> _Open | None:
    """A call that is in one of `states`. Nothing else writes meanwhile: there is one writer, and PostgreSQL holds the
    row for it."""
    row = _CALL.run(conn, {"id": call_id}).fetchone()
    found = None if row is None else _Open(*row)
    return found if found is not None and found.state in states else None


def _kept_of(conn: Connection, owner: str, seqs: Sequence[int]) -> tuple[set[str], set[str]]:
    """The ids of the texts of calls' answers, and of the images and sounds in them."""
    said: set[str] = set()
    pictures: set[str] = set()
    for some in chunks(seqs):
        mine = answers.c.owner == owner, answers.c.call_seq.in_(some)
        for text_id, parts in conn.execute(select(answers.c.text_id, answers.c.parts).where(*mine)):
            said |= {text_id} if text_id else set()
            pictures |= kept_parts.ids(parts or ())
    return said, pictures


def _free(conn: Connection, owner: str, tips: Iterable[str | None], kept: tuple[set[str], set[str]]) -> None:
    """Remove what no other call of the owner has any more: conversations by their `tips`, and what was `kept`."""
    said, pictures = kept
    message_nodes.free(conn, owner, {tip for tip in tips if tip})
    message_nodes.free_images(conn, owner, pictures)
    texts.free(conn, owner, said)


def _next_attempt(conn: Connection, call: Call) -> int:
    if call.cell_id is None:
        return 1
    # Nobody else counts meanwhile in this process; a second process fails at the unique index.
    return attempts_at(conn, call.owner, call.cell_id) + 1

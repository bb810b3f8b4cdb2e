"""Reads the open branch of a chat: its messages from the root to the current one, each with its alternative versions.

Read in three statements, however long it is: two climb from the head to the root, for the turns and for the texts of
the answers, one draws the tree. A deleted turn stays a node of the tree, so that what was said after it keeps its
place; it is only passed over.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, BindParameter, Connection, Select, bindparam, literal, select

from lib.calls import records
from lib.calls.records import ANSWER, ANSWER_TEXT, COLUMNS, OWNER, CallRecord
from lib.chat.imported import MadeBy
from lib.core.parts import Part
from lib.core.reply import Choice
from lib.core.request import Role
from lib.store.schema import answers, call_details, calls, chats, messages, texts


class _Place(NamedTuple):
    """A message in the tree; `group` is its call's id, or its own."""

    id: str
    group: str
    seq: int


_Children = dict[str | None, list[_Place]]
_TURN = [
    messages.c.id.label("turn_id"),
    *(messages.c[name] for name in ("parent_id", "role", "images", "choice", "together", "left_out")),
    *(messages.c.created_at, messages.c.made_by, texts.c.text.label("content")),
]
_Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the open branch.

    `begun` is the text that an answer goes on with; `text` begins with it. `parts` are what an answer holds beside its
    text. `images` are ids. `left_out` is how many of the oldest turns its call did not get. `together` is what answers
    of several models to one question share. `imported` is who wrote an answer that was brought in.
    `alternatives` are the ids of the messages of the same call, by choice; `versions` has one for each call or written
    text in this place, the oldest first, so that n alternatives count as one version.
    `created_at` is in microseconds since 1970 (UTC).
    """

    id: str
    parent: str | None
    role: Role
    text: str
    begun: str
    reasoning: str
    parts: Sequence[Part]
    images: tuple[str, ...]
    call: CallRecord | None
    choice: int
    together: str | None
    left_out: int
    alternatives: tuple[str, ...]
    versions: tuple[str, ...]
    created_at: int
    imported: MadeBy | None = None

    @property
    def made_by(self) -> MadeBy | None:
        """Who wrote this answer; None for a text of the visitor's own, and where it is not known."""
        if self.call is None:
            return self.imported
        return MadeBy(self.call.endpoint, self.call.model_answered or self.call.model, self.call.params_asked)

    def with_call(self, call: CallRecord) -> "Turn":
        """Itself with what its call has come to by now."""
        choice = call.choice(self.choice)
        text = self.begun + choice.text
        return replace(self, call=call, text=text, reasoning=choice.reasoning, parts=choice.parts)


def open_branch(conn: Connection, owner: str, chat_id: str) -> list[Turn]:
    """The turns from the root to the head; empty for a chat that has none, or that this owner does not have."""
    return _turns(conn, _open_turns(), _open_answers(), {"owner": owner, "chat": chat_id})


def side_by_side(conn: Connection, owner: str, chat_id: str, together: str) -> list[Turn]:
    """The answers of several models to one question, one turn for each call, in the order they were asked."""
    of = {"owner": owner, "chat": chat_id, "together": together}
    return _turns(conn, _turns_together(), _answers_together(), of)


def all_turns(conn: Connection, owner: str, chat_id: str) -> list[Turn]:
    """The turns of all branches, each after its parent; one whose parent was deleted follows that one's."""
    of = {"owner": owner, "chat": chat_id}
    found = _turns(conn, _whole_tree(), _all_answers(), of)
    deleted = {row.id: row.parent_id for row in conn.execute(_deleted(), of)}
    return [replace(turn, parent=_kept(turn.parent, deleted)) for turn in found]


def _kept(parent: str | None, deleted: Mapping[str, str | None]) -> str | None:
    while parent is not None and parent in deleted:
        parent = deleted[parent]
    return parent


def _turns(conn: Connection, turns: Select[Any], said: Select[Any], of: Mapping[str, str]) -> list[Turn]:
    result = conn.execute(turns, of)
    names = tuple(result.keys())
    rows = [records.named(row, names) for row in result]
    if not rows:
        return []
    # The texts by themselves: joined to the turns, each call's row would come once for each of its choices.
    choices = records.by_call(conn.execute(said, of).all())
    children = _children(conn, of["owner"], of["chat"])
    return [_turn(row, choices, children) for row in rows]


# The statements are built once: building one takes SQLAlchemy longer than SQLite takes to answer it.
CHAT: BindParameter[str] = bindparam("chat")
OWN_TEXT = (texts.c.owner == messages.c.owner) & (texts.c.id == messages.c.text_id)
"""What joins a turn to the text that was written for it."""
_OWN_CALL = (calls.c.id == messages.c.call_id) & (calls.c.owner == OWNER)
_TOGETHER = (
    *(messages.c.owner == OWNER, messages.c.chat_id == CHAT, messages.c.together == bindparam("together")),
    *(messages.c.deleted_at.is_(None), messages.c.choice == 0),
)


@cache
def _open_turns() -> Select[Any]:
    branch = _branch()
    return (
        select(*_TURN, *COLUMNS)
        .join(branch, messages.c.id == branch.c.id)
        .outerjoin(texts, OWN_TEXT)
        .outerjoin(calls, _OWN_CALL)
        .outerjoin(call_details, call_details.c.call_seq == calls.c.seq)
        .where(messages.c.owner == OWNER, messages.c.deleted_at.is_(None))
        .order_by(branch.c.depth.desc())
    )


@cache
def _open_answers() -> Select[Any]:
    branch = _branch()
    # any owner: _OWN_CALL and the branch name the owner.
    wanted = select(*ANSWER).select_from(branch).join(messages, messages.c.id == branch.c.id).join(calls, _OWN_CALL)
    return _with_texts(wanted.where(messages.c.owner == OWNER, messages.c.deleted_at.is_(None)))


@cache
def _turns_together() -> Select[Any]:
    return (
        select(*_TURN, *COLUMNS)
        .outerjoin(texts, OWN_TEXT)
        .join(calls, _OWN_CALL)
        .join(call_details, call_details.c.call_seq == calls.c.seq)
        .where(messages.c.owner == OWNER, *_TOGETHER)
        .order_by(messages.c.seq)
    )


@cache
def _answers_together() -> Select[Any]:
    # any owner: _TOGETHER names the owner.
    return _with_texts(select(*ANSWER).select_from(messages).join(calls, _OWN_CALL).where(*_TOGETHER))


_ALL = (messages.c.owner == OWNER, messages.c.chat_id == CHAT, messages.c.deleted_at.is_(None))


@cache
def _whole_tree() -> Select[Any]:
    # any owner: _ALL and _OWN_CALL name the owner.
    query = select(*_TURN, *COLUMNS).outerjoin(texts, OWN_TEXT).outerjoin(calls, _OWN_CALL)
    details = query.outerjoin(call_details, call_details.c.call_seq == calls.c.seq)
    return details.where(*_ALL).order_by(messages.c.seq)


@cache
def _all_answers() -> Select[Any]:
    # any owner: _ALL and _OWN_CALL name the owner.
    wanted = select(*ANSWER).select_from(messages).join(calls, _OWN_CALL)
    # The first choice stands for its call: all answers are joined to the call, not to its turns.
    return _with_texts(wanted.where(*_ALL, messages.c.choice == 0))


@cache
def _deleted() -> Select[Any]:
    found = select(messages.c.id, messages.c.parent_id).where(messages.c.owner == OWNER, messages.c.chat_id == CHAT)
    return found.where(messages.c.deleted_at.is_not(None))


def _with_texts(wanted: Select[Any]) -> Select[Any]:
    """The answers to the calls that are joined, with their texts."""
    found = wanted.join(answers, answers.c.call_seq == calls.c.seq).outerjoin(texts, ANSWER_TEXT)
    return found.order_by(answers.c.call_seq, answers.c.choice)


def _branch() -> CTE:
    """(id, parent_id, depth) of the messages from the head, depth 0, up to the root."""
    head = (
        select(messages.c.id, messages.c.parent_id, literal(0).label("depth"))
        .join(chats, chats.c.head == messages.c.id)
        .where(chats.c.owner == OWNER, chats.c.id == CHAT, chats.c.deleted_at.is_(None))
        .where(messages.c.owner == OWNER, messages.c.chat_id == CHAT)
    )
    # From the head upwards: what is read grows with the branch, not with the tree.
    up = head.cte("branch", recursive=True)
    parents = (
        select(messages.c.id, messages.c.parent_id, up.c.depth + 1)
        .join(up, messages.c.id == up.c.parent_id)
        .where(messages.c.owner == OWNER)
    )
    return up.union_all(parents)


@cache
def _places() -> Select[Any]:
    return (
        select(messages.c.id, messages.c.parent_id, messages.c.call_id, messages.c.seq)
        .where(messages.c.owner == OWNER, messages.c.chat_id == CHAT, messages.c.deleted_at.is_(None))
        .order_by(messages.c.seq)
    )


def _children(conn: Connection, owner: str, chat_id: str) -> _Children:
    """All messages of a chat that are not deleted, by their parent, oldest first."""
    children: _Children = defaultdict(list)
    for row in conn.execute(_places(), {"owner": owner, "chat": chat_id}):
        children[row.parent_id].append(_Place(row.id, row.call_id or row.id, row.seq))
    return children


def _turn(row: _Values, choices: records.Answers, children: _Children) -> Turn:
    call = records.record(row, choices) if row["id"] is not None else None
    choice = call.choice(row["choice"]) if call else Choice()
    id, content = row["turn_id"], row["content"] or ""
    # Deleted ones are not among them, and the message itself always is.
    family = children[row["parent_id"]]
    alternatives, versions = _grouped(id, family, children)
    return Turn(
        id=id,
        parent=row["parent_id"],
        role=row["role"],
        text=content + choice.text,
        begun=content if call else "",
        reasoning=choice.reasoning,
        parts=choice.parts,
        images=tuple(row["images"] or ()),
        call=call,
        choice=row["choice"],
        together=row["together"],
        left_out=row["left_out"],
        alternatives=alternatives,
        versions=versions,
        created_at=row["created_at"],
        imported=MadeBy.of(row["made_by"]),
    )


def _grouped(message_id: str, family: Sequence[_Place], children: _Children) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(alternatives, versions) of a message. Another call is stood for by the choice that was gone on with last."""
    if len(family) == 1:
        return (message_id,), (message_id,)
    groups: dict[str, list[str]] = defaultdict(list)
    for place in family:
        groups[place.group].append(place.id)
    mine = next(ids for ids in groups.values() if message_id in ids)
    return tuple(mine), tuple(message_id if ids is mine else _last_used(ids, children) for ids in groups.values())


def _last_used(ids: Sequence[str], children: _Children) -> str:
    """The one with the newest child; the first where none has any."""
    return max(ids, key=lambda id: children[id][-1].seq if id in children else 0)

"""Reads the open branch of a chat: its messages from the root to the current one, each with its alternative versions.

Read in two statements, however long it is: one climbs from the head to the root, one draws the tree. A deleted turn
stays a node of the tree, so that what was said after it keeps its place; it is only passed over.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, BindParameter, Connection, Select, bindparam, literal, select

from lib.calls.records import COLUMNS, CallRecord, record
from lib.core.contract import Role
from lib.store.schema import calls, chats, messages


class _Place(NamedTuple):
    """A message in the tree; `group` is its call's id, or its own."""

    id: str
    group: str
    seq: int


_Children = dict[str | None, list[_Place]]
_NAMES = ("id", "parent_id", "role", "content", "images", "choice", "together", "left_out")
_TURN = [messages.c[name] for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the open branch.

    `begun` is the text that an answer goes on with; `text` begins with it. `images` are ids. `left_out` is how many of
    the oldest turns its call did not get. `together` is what answers of several models to one question share.
    `siblings` are the ids of all messages in its place, oldest first. `alternatives` are those of the same call, by
    choice; `versions` has one id for each call or written text, so that n alternatives count as one version.
    """

    id: str
    parent: str | None
    role: Role
    text: str
    begun: str
    reasoning: str
    images: tuple[str, ...]
    call: CallRecord | None
    choice: int
    together: str | None
    left_out: int
    siblings: tuple[str, ...]
    alternatives: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def number(self) -> int:
        """Its place among its siblings, from 1."""
        return self.siblings.index(self.id) + 1


def open_branch(conn: Connection, owner: str, chat_id: str) -> list[Turn]:
    """The turns from the root to the head; empty for a chat that has none, or that this owner does not have."""
    rows = conn.execute(_open_turns(), {"owner": owner, "chat": chat_id}).all()
    children = _children(conn, owner, chat_id) if rows else {}
    return [_turn(row, children) for row in rows]


def side_by_side(conn: Connection, owner: str, chat_id: str, together: str) -> list[Turn]:
    """The answers of several models to one question, one turn for each call, in the order they were asked."""
    rows = conn.execute(_turns_together(), {"owner": owner, "chat": chat_id, "together": together}).all()
    children = _children(conn, owner, chat_id) if rows else {}
    return [_turn(row, children) for row in rows]


# The statements are built once: building one takes SQLAlchemy longer than SQLite takes to answer it.
OWNER: BindParameter[str] = bindparam("owner")
CHAT: BindParameter[str] = bindparam("chat")


@cache
def _open_turns() -> Select[Any]:
    branch = _branch()
    return (
        select(*_TURN, *COLUMNS)
        .join(branch, messages.c.id == branch.c.id)
        .outerjoin(calls, (calls.c.id == messages.c.call_id) & (calls.c.owner == OWNER))
        .where(messages.c.owner == OWNER, messages.c.deleted_at.is_(None))
        .order_by(branch.c.depth.desc())
    )


@cache
def _turns_together() -> Select[Any]:
    return (
        select(*_TURN, *COLUMNS)
        .join(calls, (calls.c.id == messages.c.call_id) & (calls.c.owner == OWNER))
        .where(messages.c.owner == OWNER, messages.c.chat_id == CHAT, messages.c.together == bindparam("together"))
        .where(messages.c.deleted_at.is_(None), messages.c.choice == 0)
        .order_by(messages.c.seq)
    )


def _branch() -> CTE:
    """(id, parent_id, depth) of the messages from the head, depth 0, up to the root."""
    head = (
        select(messages.c.id, messages.c.parent_id, literal(0).label("depth"))
        .join(chats, chats.c.head == messages.c.id)
        .where(chats.c.owner == OWNER, chats.c.id == CHAT, chats.c.deleted_at.is_(None))
        .where(messages.c.owner == OWNER, messages.c.chat_id == CHAT)
    )
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
    for id, parent_id, call_id, seq in conn.execute(_places(), {"owner": owner, "chat": chat_id}):
        children[parent_id].append(_Place(id, call_id or id, seq))
    return children


def _turn(row: Sequence[Any], children: _Children) -> Turn:
    facts = dict(zip(_NAMES, row, strict=False))
    values = row[len(_NAMES) :]
    call = record(values) if values[0] is not None else None
    choice = call.choices[facts["choice"]] if call and facts["choice"] < len(call.choices) else None
    family, content = children[facts["parent_id"]], facts["content"] or ""
    alternatives, versions = _grouped(facts["id"], family, children)
    return Turn(
        id=facts["id"],
        parent=facts["parent_id"],
        role=facts["role"],
        text=content + (choice.text if choice else ""),
        begun=content if call else "",
        reasoning=choice.reasoning if choice else "",
        images=tuple(facts["images"] or ()),
        call=call,
        choice=facts["choice"],
        together=facts["together"],
        left_out=facts["left_out"],
        siblings=tuple(place.id for place in family),
        alternatives=alternatives,
        versions=versions,
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

"""The open branch of a chat: its turns from the root to the head, each with what stands beside it.

Read in two statements, however long it is: one climbs from the head to the root, one draws the tree.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import CTE, Connection, literal, select

from lib.calls import COLUMNS, CallRecord, record
from lib.models import Role
from lib.tables import calls, chats, messages


class _Place(NamedTuple):
    """A message in the tree; `group` is its call's id, or its own."""

    id: str
    group: str
    seq: int


_Children = dict[str | None, list[_Place]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the open branch.

    `siblings` are the ids of all messages in its place, oldest first. `alternatives` are those of the same call, by
    choice; `versions` has one id for each call or written text, so that n alternatives count as one version.
    """

    id: str
    role: Role
    text: str
    reasoning: str
    call: CallRecord | None
    choice: int
    siblings: tuple[str, ...]
    alternatives: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def number(self) -> int:
        """Its place among its siblings, from 1."""
        return self.siblings.index(self.id) + 1


def open_branch(conn: Connection, owner: str, chat_id: str) -> list[Turn]:
    """The turns from the root to the head; empty for a chat that has none, or that this owner does not have."""
    branch = _branch(owner, chat_id)
    rows = conn.execute(
        select(messages.c.id, messages.c.parent_id, messages.c.role, messages.c.content, messages.c.choice, *COLUMNS)
        .join(branch, messages.c.id == branch.c.id)
        .outerjoin(calls, (calls.c.id == messages.c.call_id) & (calls.c.owner == owner))
        .where(messages.c.owner == owner)
        .order_by(branch.c.depth.desc())
    ).all()
    children = _children(conn, owner, chat_id) if rows else {}
    return [_turn(row, children) for row in rows]


def _branch(owner: str, chat_id: str) -> CTE:
    """(id, parent_id, depth) of the messages from the head, depth 0, up to the root."""
    head = (
        select(messages.c.id, messages.c.parent_id, literal(0).label("depth"))
        .join(chats, chats.c.head == messages.c.id)
        .where(chats.c.owner == owner, chats.c.id == chat_id, chats.c.deleted_at.is_(None))
        .where(messages.c.owner == owner, messages.c.chat_id == chat_id)
    )
    up = head.cte("branch", recursive=True)
    parents = (
        select(messages.c.id, messages.c.parent_id, up.c.depth + 1)
        .join(up, messages.c.id == up.c.parent_id)
        .where(messages.c.owner == owner)
    )
    return up.union_all(parents)


def _children(conn: Connection, owner: str, chat_id: str) -> _Children:
    """All messages of a chat by their parent, oldest first."""
    query = (
        select(messages.c.id, messages.c.parent_id, messages.c.call_id, messages.c.seq)
        .where(messages.c.owner == owner, messages.c.chat_id == chat_id)
        .order_by(messages.c.seq)
    )
    children: _Children = defaultdict(list)
    for id, parent_id, call_id, seq in conn.execute(query):
        children[parent_id].append(_Place(id, call_id or id, seq))
    return children


def _turn(row: Sequence[Any], children: _Children) -> Turn:
    id, parent_id, role, content, choice_number, call_id, *_ = row
    call = record(row[5:]) if call_id is not None else None
    choice = call.choices[choice_number] if call and choice_number < len(call.choices) else None
    family = children[parent_id]
    alternatives, versions = _grouped(id, family, children)
    return Turn(
        id=id,
        role=role,
        text=choice.text if choice else content or "",
        reasoning=choice.reasoning if choice else "",
        call=call,
        choice=choice_number,
        siblings=tuple(place.id for place in family),
        alternatives=alternatives,
        versions=versions,
    )


def _grouped(message_id: str, family: Sequence[_Place], children: _Children) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(alternatives, versions) of a message. Another call is stood for by the choice that was gone on with last."""
    groups: dict[str, list[str]] = defaultdict(list)
    for place in family:
        groups[place.group].append(place.id)
    mine = next(ids for ids in groups.values() if message_id in ids)
    return tuple(mine), tuple(message_id if ids is mine else _last_used(ids, children) for ids in groups.values())


def _last_used(ids: Sequence[str], children: _Children) -> str:
    """The one with the newest child; the first where none has any."""
    return max(ids, key=lambda id: children[id][-1].seq if id in children else 0)

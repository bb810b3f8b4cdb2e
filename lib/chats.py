"""Chats as trees of messages. Trying again or editing adds a sibling; the open branch leads from a root to `head`.

An assistant's turn that came from a call has no text of its own: it is one choice of that call, and n alternatives are
n siblings. Whoever is not the owner finds nothing: reading gives an empty result, writing raises NotFound.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    Update,
    cast,
    or_,
    select,
    update,
)

from lib.branches import Turn, open_branch
from lib.calls import CallRecord, now
from lib.errors import InvalidInput
from lib.models import Role
from lib.tables import calls, chats, messages
from lib.words import N_

__all__ = ["CallRecord", "Chat", "NotFound", "Turn", "open_branch"]
TITLE_CHARACTERS = 48


class NotFound(InvalidInput):
    """This owner has no chat, or no message in it, of that id."""

    kind = "not_found"
    do = N_("It may have been deleted. Choose another chat.")

    def __init__(self) -> None:
        super().__init__(N_("This chat does not exist."))


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as it stands in the list; times in microseconds since 1970 (UTC)."""

    id: str
    title: str
    created_at: int
    updated_at: int
    temporary: bool


def new_chat(conn: Connection, owner: str, first_text: str, temporary: bool) -> str:
    """Begin a chat named after its first words; its id. A temporary one has no name: no text of it is stored."""
    chat_id, moment = secrets.token_hex(16), now()
    title = "" if temporary else title_of(first_text)
    row = {"id": chat_id, "owner": owner, "title": title, "temporary": temporary}
    conn.execute(chats.insert().values(**row, created_at=moment, updated_at=moment))
    return chat_id


def title_of(text: str) -> str:
    """The first words of `text` on one line, at most 48 characters."""
    line = " ".join(text[: 8 * TITLE_CHARACTERS].split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    words = line[:TITLE_CHARACTERS].rpartition(" ")[0]
    # Texts without spaces, Chinese ones say, are cut between characters.
    return (words if len(words) > TITLE_CHARACTERS // 2 else line[: TITLE_CHARACTERS - 1]) + "…"


def chats_of(conn: Connection, owner: str, search: str = "") -> list[Chat]:
    """The owner's chats, last used first; with `search` those that have it in their title or in a text."""
    query = select(chats).where(chats.c.owner == owner, chats.c.deleted_at.is_(None), chats.c.temporary.is_(False))
    if search.strip():
        query = query.where(_has_words(conn, owner, search.strip()))
    rows = conn.execute(query.order_by(chats.c.updated_at.desc(), chats.c.id)).mappings()
    return [Chat(**{field.name: row[field.name] for field in fields(Chat)}) for row in rows]


def add_message(conn: Connection, owner: str, chat_id: str, parent_id: str | None, role: Role, content: str) -> str:
    """Add a written message under `parent_id` (None: a new root) and open it; its id."""
    return _add(conn, owner, chat_id, parent_id, [{"role": role, "content": content, "choice": 0}])[0]


def add_answers(conn: Connection, owner: str, chat_id: str, parent_id: str | None, call_id: str, n: int) -> list[str]:
    """Add the n choices of a call as siblings and open the first; their ids."""
    rows = [{"role": "assistant", "content": None, "call_id": call_id, "choice": choice} for choice in range(n)]
    return _add(conn, owner, chat_id, parent_id, rows)


def choose(conn: Connection, owner: str, chat_id: str, message_id: str) -> None:
    """Open the branch through a message: its newest child, that one's newest child, and so on, becomes the head."""
    conn.execute(_of(owner, chat_id).values(head=_newest_leaf(conn, owner, chat_id, message_id)))


def rename(conn: Connection, owner: str, chat_id: str, title: str) -> None:
    """Give a chat another title; an empty one changes nothing."""
    _must_change(conn, _of(owner, chat_id).values(title=title_of(title) or chats.c.title))


def delete(conn: Connection, owner: str, chat_id: str) -> None:
    """Take a chat out of the list; `undelete` brings it back."""
    _must_change(conn, _of(owner, chat_id).values(deleted_at=now()))


def undelete(conn: Connection, owner: str, chat_id: str) -> None:
    """Bring a deleted chat back."""
    _must_change(conn, update(chats).where(chats.c.owner == owner, chats.c.id == chat_id).values(deleted_at=None))


def _of(owner: str, chat_id: str) -> Update:
    return update(chats).where(chats.c.owner == owner, chats.c.id == chat_id, chats.c.deleted_at.is_(None))


def _must_change(conn: Connection, statement: Update) -> None:
    if conn.execute(statement).rowcount != 1:
        raise NotFound


def _has_words(conn: Connection, owner: str, words: str) -> ColumnElement[bool]:
    content = messages.c.content.icontains(words, autoescape=True)
    said = select(messages.c.chat_id).where(messages.c.owner == owner, content)
    return or_(
        chats.c.title.icontains(words, autoescape=True),
        chats.c.id.in_(said),
        chats.c.id.in_(_answered_with(conn, owner, words)),
    )


def _answered_with(conn: Connection, owner: str, words: str) -> set[str]:
    """The ids of the chats that have `words` in an answer of a call."""
    stored = cast(calls.c.choices, Text).icontains(json.dumps(words, ensure_ascii=False)[1:-1], autoescape=True)
    rows = conn.execute(
        select(messages.c.chat_id, messages.c.choice, calls.c.choices)
        .join(calls, calls.c.id == messages.c.call_id)
        .where(messages.c.owner == owner, calls.c.owner == owner, stored)
    )
    # The database looks through the JSON, names of fields included; the words have to be in the text itself.
    found = ((chat_id, choices[choice]["text"]) for chat_id, choice, choices in rows if choice < len(choices))
    return {chat_id for chat_id, text in found if words.lower() in text.lower()}


def _newest_leaf(conn: Connection, owner: str, chat_id: str, message_id: str) -> str:
    """The newest message below the given one, or itself; of n alternatives the first."""
    rows = conn.execute(
        select(messages.c.id, messages.c.parent_id, messages.c.call_id, messages.c.choice)
        .where(messages.c.owner == owner, messages.c.chat_id == chat_id)
        .order_by(messages.c.seq)
    ).all()
    below = {row.id for row in rows if row.id == message_id}
    if not below:
        raise NotFound
    newest = message_id
    for row in rows:  # a message always comes after its parent
        if row.parent_id in below:
            below.add(row.id)
            newest = row.id if row.choice == 0 else newest
    return newest


def _add(
    conn: Connection, owner: str, chat_id: str, parent_id: str | None, rows: Sequence[dict[str, Any]]
) -> list[str]:
    temporary = conn.execute(
        select(chats.c.temporary).where(chats.c.owner == owner, chats.c.id == chat_id, chats.c.deleted_at.is_(None))
    ).scalar()
    if temporary is None or not _has_parent(conn, owner, chat_id, parent_id):
        raise NotFound
    moment, ids = now(), [secrets.token_hex(16) for _ in rows]
    place = {"owner": owner, "chat_id": chat_id, "parent_id": parent_id, "created_at": moment}
    for message_id, row in zip(ids, rows, strict=True):
        words = {"content": None} if temporary else {}
        conn.execute(messages.insert().values({**row, **place, **words, "id": message_id}))
    conn.execute(_of(owner, chat_id).values(head=ids[0], updated_at=moment))
    return ids


def _has_parent(conn: Connection, owner: str, chat_id: str, parent_id: str | None) -> bool:
    query = select(messages.c.id).where(
        messages.c.owner == owner, messages.c.chat_id == chat_id, messages.c.id == parent_id
    )
    return parent_id is None or conn.execute(query).first() is not None

"""Stores chats as trees of messages. Trying again or editing adds a sibling; the open branch leads from a root to
`head`.

An assistant's turn that came from a call is one choice of that call, and n alternatives are n siblings. Whoever is not
the owner finds nothing: reading gives an empty result, writing raises ChatNotFound.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Update,
    select,
    update,
)
from sqlalchemy import delete as sql_delete

from lib.calls import records
from lib.chat.attachments import heading
from lib.chat.branch import Turn, all_turns, open_branch, side_by_side
from lib.chat.form import Form
from lib.chat.imported import ImportedChat
from lib.chat.search import has_words
from lib.core.clock import now
from lib.core.errors import ChatNotFound
from lib.core.request import Role
from lib.core.titles import title_of
from lib.store import image_store, message_nodes, texts
from lib.store.schema import chats, messages
from lib.store.statements import chunks

__all__ = ["Chat", "Turn", "all_turns", "open_branch", "side_by_side"]


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as it stands in the list; times in microseconds since 1970 (UTC). `model` is `endpoint/model id`, None
    where none was chosen yet."""

    id: str
    title: str
    created_at: int
    updated_at: int
    model: str | None


_LISTED = [chats.c[field.name] for field in fields(Chat)]
"""What a chat of the list is made of; without its settings, whose system prompt may be long."""


def new_chat(conn: Connection, owner: str, first_text: str) -> str:
    """Begin a chat named after its first words; its id."""
    chat_id, moment = secrets.token_hex(16), now()
    row = {"id": chat_id, "owner": owner, "title": title_of(first_text)}
    conn.execute(chats.insert().values(**row, created_at=moment, updated_at=moment))
    return chat_id


def add_chat(conn: Connection, owner: str, chat: ImportedChat) -> str:
    """Keep a chat that was held elsewhere and has a turn, with its own times where it has them; its id."""
    moment, ids = now(), [secrets.token_hex(16) for _ in chat.turns]
    created = chat.created_at or moment
    chat_id = secrets.token_hex(16)
    row = {"id": chat_id, "owner": owner, "title": title_of(chat.title or heading(chat.branch[0].content))}
    row["head"] = ids[-1 if chat.current is None else chat.current]
    settings = _settings(chat.form) if chat.form else {}
    conn.execute(chats.insert().values(**row, **settings, created_at=created, updated_at=chat.updated_at or moment))
    place = {"owner": owner, "chat_id": chat_id, "choice": 0}
    said = texts.keep(conn, owner, [turn.message.content for turn in chat.turns])
    rows = []
    for id, text_id, turn in zip(ids, said, chat.turns, strict=True):
        pictures = image_store.keep(conn, owner, turn.message.images) or None
        parent = None if turn.parent is None else ids[turn.parent]
        made_by = turn.made_by.to_json() if turn.made_by else None
        rows.append(
            {
                **place,
                "role": turn.message.role,
                "text_id": text_id,
                "images": pictures,
                "made_by": made_by,
                "id": id,
                "parent_id": parent,
                "created_at": turn.created_at or created,
            }
        )
    # One statement for all: each turn by itself would take three.
    conn.execute(messages.insert(), rows)
    return chat_id


def chats_of(conn: Connection, owner: str, search: str = "", limit: int | None = None, offset: int = 0) -> list[Chat]:
    """The owner's chats, last used first, at most `limit` behind the first `offset`; with `search` those that have all
    its words in their title or in their texts."""
    rows = conn.execute(_newest_first(select(*_LISTED), owner, search).limit(limit).offset(offset)).mappings()
    return [Chat(**row) for row in rows]


def times_of(conn: Connection, owner: str, search: str = "", offset: int = 0) -> list[int]:
    """When the same chats were last used, in microseconds since 1970: what tells how many there are of each month."""
    return list(conn.execute(_newest_first(select(chats.c.updated_at), owner, search).offset(offset)).scalars())


def _newest_first(query: Select[Any], owner: str, search: str) -> Select[Any]:
    query = query.where(chats.c.owner == owner, chats.c.deleted_at.is_(None), *has_words(owner, search))
    return query.order_by(chats.c.updated_at.desc(), chats.c.id)


def find(conn: Connection, owner: str, chat_id: str) -> Chat:
    """A chat of the list; raises ChatNotFound."""
    query = select(*_LISTED).where(chats.c.owner == owner, chats.c.id == chat_id, chats.c.deleted_at.is_(None))
    row = conn.execute(query).mappings().first()
    if row is None:
        raise ChatNotFound
    return Chat(**row)


def keep_form(conn: Connection, owner: str, chat_id: str, form: Form) -> None:
    """Let a chat have these settings. Raises ChatNotFound."""
    _must_change(conn, _of(owner, chat_id).values(_settings(form)))


def form_of(conn: Connection, owner: str, chat_id: str) -> Form | None:
    """The settings of a chat; None where none were kept yet, or there is no such chat."""
    query = select(chats.c.model, chats.c.settings).where(chats.c.owner == owner, chats.c.id == chat_id)
    row = conn.execute(query.where(chats.c.deleted_at.is_(None))).first()
    return Form.of(row.model, row.settings) if row and row.settings else None


def _settings(form: Form) -> dict[str, Any]:
    return {"model": form.model or None, "settings": form.settings()}


def add_message(
    conn: Connection,
    owner: str,
    chat_id: str,
    parent_id: str | None,
    role: Role,
    content: str,
    image_urls: Sequence[str] = (),
) -> str:
    """Add a written message under `parent_id` (None: a new root) and open it; its id."""
    row: dict[str, Any] = {"role": role, "text_id": _kept(conn, owner, content), "choice": 0}
    if image_urls:
        row["images"] = image_store.keep(conn, owner, image_urls)
    return _add(conn, owner, chat_id, parent_id, [row])[0]


def add_answers(
    conn: Connection,
    owner: str,
    chat_id: str,
    parent_id: str | None,
    call_id: str,
    n: int,
    begun: str = "",
    together: str | None = None,
    left_out: int = 0,
) -> list[str]:
    """Add the n choices of a call as siblings and open the first; their ids. See Turn for what the rest means."""
    text_id = _kept(conn, owner, begun) if begun else None
    shared = {"text_id": text_id, "together": together, "left_out": left_out, "call_id": call_id}
    rows = [{"role": "assistant", "choice": choice, **shared} for choice in range(n)]
    return _add(conn, owner, chat_id, parent_id, rows)


def put_together(conn: Connection, owner: str, chat_id: str, message_ids: Sequence[str], together: str) -> None:
    """Let answers stand beside those that share `together`."""
    conn.execute(_messages_of(owner, chat_id).where(messages.c.id.in_(message_ids)).values(together=together))


def choose(conn: Connection, owner: str, chat_id: str, message_id: str) -> None:
    """Open the branch through a message: its newest child, that one's newest child, and so on, becomes the head."""
    conn.execute(_of(owner, chat_id).values(head=_newest_leaf(conn, owner, chat_id, message_id)))


def delete_turn(conn: Connection, owner: str, chat_id: str, message_id: str) -> int:
    """Take a turn out of its chat; a mark by which `undelete_turn` brings it back.

    Where it has other versions, it goes with all that was said after it, and the version before it is opened. Where it
    has none, what was said after it stays.
    """
    turn = next((one for one in open_branch(conn, owner, chat_id) if one.id == message_id), None)
    if turn is None:
        raise ChatNotFound
    others = [id for id in turn.versions if id != turn.id]
    gone = _below(conn, owner, chat_id, turn.alternatives) if others else set(turn.alternatives)
    # One mark for all that goes together: by it `undelete_turn` finds them again, and nothing deleted at another time.
    mark = now()
    conn.execute(_messages_of(owner, chat_id).where(messages.c.id.in_(gone)).values(deleted_at=mark))
    if others:
        # The head may be among what is gone.
        choose(conn, owner, chat_id, others[max(0, turn.versions.index(turn.id) - 1)])
    return mark


def undelete_turn(conn: Connection, owner: str, chat_id: str, message_id: str, mark: int) -> None:
    """Bring back what `delete_turn` took out, and open it."""
    conn.execute(_messages_of(owner, chat_id).where(messages.c.deleted_at == mark).values(deleted_at=None))
    choose(conn, owner, chat_id, message_id)


def erase(conn: Connection, owner: str, chat_id: str) -> None:
    """Remove a chat with all its turns and calls, and every text that nothing else of its owner has; nothing brings it
    back."""
    records.delete_calls(conn, owner, _remove_turns(conn, owner, chat_id))
    _remove_empty(conn, owner, chat_id)


def purge(conn: Connection, owner: str, chat_id: str, most: int) -> bool:
    """Remove at most so many turns of a deleted chat, the last ones, so that no other write waits long; whether it is
    gone by now. Its calls are counted as before, without their texts."""
    records.forget_texts(conn, owner, _remove_turns(conn, owner, chat_id, most))
    return _remove_empty(conn, owner, chat_id)


def deleted_before(conn: Connection, moment: int) -> list[tuple[str, str]]:
    """(owner, id) of the chats that were deleted before `moment` (microseconds since 1970)."""
    # any owner: what is deleted is removed for everybody after the same time.
    query = select(chats.c.owner, chats.c.id).where(chats.c.deleted_at < moment)
    return [(row.owner, row.id) for row in conn.execute(query)]


def rename(conn: Connection, owner: str, chat_id: str, title: str) -> None:
    """Give a chat another title; an empty one changes nothing."""
    _must_change(conn, _of(owner, chat_id).values(title=title_of(title) or chats.c.title))


def delete(conn: Connection, owner: str, chat_id: str) -> None:
    """Take a chat out of the list; `undelete` brings it back."""
    _must_change(conn, _of(owner, chat_id).values(deleted_at=now()))


def undelete(conn: Connection, owner: str, chat_id: str) -> None:
    """Bring a deleted chat back."""
    _must_change(conn, update(chats).where(chats.c.owner == owner, chats.c.id == chat_id).values(deleted_at=None))


def _remove_turns(conn: Connection, owner: str, chat_id: str, most: int | None = None) -> list[str]:
    """Remove all or the last `most` turns of a chat, and the texts and images that only they had; the ids of their
    calls."""
    turns = select(messages.c.id, messages.c.call_id, messages.c.text_id, messages.c.images).where(
        messages.c.owner == owner, messages.c.chat_id == chat_id
    )
    rows = conn.execute(turns.order_by(messages.c.seq.desc()).limit(most)).all()
    # The last ones first, and few at once: with a message go all below it (ON DELETE CASCADE), and SQLite follows such
    # a chain a thousand messages deep and no further (sqlite.org/limits.html, trigger recursion).
    for some in chunks(row.id for row in rows):
        conn.execute(sql_delete(messages).where(messages.c.owner == owner, messages.c.id.in_(some)))
    # After the messages: a text or an image is free when none has it any more.
    texts.free(conn, owner, {row.text_id for row in rows if row.text_id})
    message_nodes.free_images(conn, owner, {id for row in rows for id in row.images or ()})
    return list({row.call_id for row in rows if row.call_id})


def _remove_empty(conn: Connection, owner: str, chat_id: str) -> bool:
    """Remove a chat that has no turns any more; whether it had none."""
    turns = select(messages.c.id).where(messages.c.owner == owner, messages.c.chat_id == chat_id)
    if conn.execute(turns.limit(1)).first():
        return False
    conn.execute(sql_delete(chats).where(chats.c.owner == owner, chats.c.id == chat_id))
    return True


def _kept(conn: Connection, owner: str, text: str) -> str:
    return texts.keep(conn, owner, [text])[0]


def _of(owner: str, chat_id: str) -> Update:
    return update(chats).where(chats.c.owner == owner, chats.c.id == chat_id, chats.c.deleted_at.is_(None))


def _must_change(conn: Connection, statement: Update) -> None:
    if conn.execute(statement).rowcount != 1:
        raise ChatNotFound


def _messages_of(owner: str, chat_id: str) -> Update:
    return update(messages).where(messages.c.owner == owner, messages.c.chat_id == chat_id)


def _newest_leaf(conn: Connection, owner: str, chat_id: str, message_id: str) -> str:
    """The newest message below the given one that is not deleted, or itself; of n alternatives the first."""
    below = _below(conn, owner, chat_id, [message_id])
    if not below:
        raise ChatNotFound
    leaves = (
        select(messages.c.id)
        .where(messages.c.owner == owner, messages.c.chat_id == chat_id)
        .where(messages.c.choice == 0, messages.c.deleted_at.is_(None))
        .order_by(messages.c.seq.desc())
    )
    return next((id for id in conn.execute(leaves).scalars() if id in below - {message_id}), message_id)


def _below(conn: Connection, owner: str, chat_id: str, message_ids: Sequence[str]) -> set[str]:
    """The given messages, as far as this chat has them, and all below them."""
    rows = conn.execute(
        select(messages.c.id, messages.c.parent_id)
        .where(messages.c.owner == owner, messages.c.chat_id == chat_id)
        # By number, so that one pass is enough.
        .order_by(messages.c.seq)
    ).all()
    below = {row.id for row in rows if row.id in message_ids}
    for row in rows:  # a message always comes after its parent
        if row.parent_id in below:
            below.add(row.id)
    return below


def _add(
    conn: Connection, owner: str, chat_id: str, parent_id: str | None, rows: Sequence[dict[str, Any]]
) -> list[str]:
    if not _has_parent(conn, owner, chat_id, parent_id):
        raise ChatNotFound
    moment, ids = now(), [secrets.token_hex(16) for _ in rows]
    place = {"owner": owner, "chat_id": chat_id, "parent_id": parent_id, "created_at": moment}
    # First: it raises ChatNotFound for another owner's chat, and nothing was written then.
    _must_change(conn, _of(owner, chat_id).values(head=ids[0], updated_at=moment))
    for message_id, row in zip(ids, rows, strict=True):
        conn.execute(messages.insert(), {**row, **place, "id": message_id})
    return ids


def _has_parent(conn: Connection, owner: str, chat_id: str, parent_id: str | None) -> bool:
    query = select(messages.c.id).where(
        messages.c.owner == owner, messages.c.chat_id == chat_id, messages.c.id == parent_id
    )
    return parent_id is None or conn.execute(query).first() is not None

"""Finds chats by words in their titles, questions and answers, and the text in which a word was found."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from lib.calls.records import ANSWER_TEXT
from lib.chat.branch import OWN_TEXT
from lib.core.excerpts import as_read
from lib.core.found_words import around, longest, words_of
from lib.store.schema import answers, calls, chats, messages, texts

# An answer that still grows, or never ended, has its text in its own row.
_SAID = func.coalesce(texts.c.text, answers.c.unfinished_text)


def has_words(owner: str, search: str) -> list[ColumnElement[bool]]:
    """What has to be so of a chat that has all words, each in its title or in a text."""
    return [_has(owner, word) for word in words_of(search)]


def excerpts(conn: Connection, owner: str, chat_ids: Collection[str], search: str) -> dict[str, str]:
    """By chat the words around the first place where a text of it has the longest of the words; chats that have it in
    their title only are left out."""
    word = longest(search)
    if not word or not chat_ids:
        return {}
    found: dict[str, tuple[int, str]] = {}
    for row in conn.execute(_first(_written(owner), texts.c.text, chat_ids, word)):
        found[row.chat_id] = (row.seq, around(row.text, word))
    for row in conn.execute(_first(_answers(owner), _SAID, chat_ids, word)):
        if row.chat_id not in found or row.seq < found[row.chat_id][0]:
            found[row.chat_id] = (row.seq, as_read(row.text, word))
    return {chat_id: excerpt for chat_id, (_seq, excerpt) in found.items()}


def _has(owner: str, word: str) -> ColumnElement[bool]:
    asked = _written(owner).with_only_columns(messages.c.chat_id).where(texts.c.text.icontains(word, autoescape=True))
    said = _answers(owner).with_only_columns(messages.c.chat_id).where(_SAID.icontains(word, autoescape=True))
    return or_(chats.c.title.icontains(word, autoescape=True), chats.c.id.in_(asked), chats.c.id.in_(said))


def _written(owner: str) -> Select[Any]:
    """The turns for which somebody has written a text, with it."""
    return (
        select(messages.c.chat_id, messages.c.seq, texts.c.text)
        .join(texts, OWN_TEXT)
        .where(messages.c.owner == owner, messages.c.deleted_at.is_(None))
    )


def _answers(owner: str) -> Select[Any]:
    """The turns that came from calls, with the texts of their choices."""
    return (
        select(messages.c.chat_id, messages.c.seq, _SAID.label("text"))
        .join(calls, (calls.c.id == messages.c.call_id) & (calls.c.owner == owner))
        .join(answers, (answers.c.call_seq == calls.c.seq) & (answers.c.choice == messages.c.choice))
        .outerjoin(texts, ANSWER_TEXT)
        .where(messages.c.owner == owner, messages.c.deleted_at.is_(None))
    )


def _first(turns: Select[Any], text: ColumnElement[str], chat_ids: Collection[str], word: str) -> Select[Any]:
    """Of each chat the first of the turns that has the word."""
    wanted = turns.where(messages.c.chat_id.in_(chat_ids), text.icontains(word, autoescape=True))
    first = wanted.with_only_columns(func.min(messages.c.seq)).group_by(messages.c.chat_id)
    return wanted.where(messages.c.seq.in_(first))

"""Finds sweeps by words in their titles, what they ask, their models and answers, and the text of an answer in which a
word was found."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, or_, select

from lib.calls.records import ANSWER_TEXT
from lib.core.excerpts import as_read
from lib.core.found_words import longest, words_of
from lib.store.schema import answers, calls, sweeps, texts

# An answer that still grows, or never ended, has its text in its own row.
_SAID = func.coalesce(texts.c.text, answers.c.unfinished_text)


def has_words(owner: str, search: str) -> list[ColumnElement[bool]]:
    """What has to be so of a sweep that has all words, each in its title, in what it asks (inputs and system prompts
    too), in a model's name or in an answer."""
    return [_has(owner, word) for word in words_of(search)]


def excerpts(conn: Connection, owner: str, sweep_ids: Collection[str], search: str) -> dict[str, str]:
    """By sweep the words around the first place where an answer of it has the longest of the words."""
    word = longest(search)
    if not word or not sweep_ids:
        return {}
    wanted = _answers(owner).where(calls.c.sweep_id.in_(sweep_ids), _SAID.icontains(word, autoescape=True))
    first = wanted.with_only_columns(func.min(calls.c.seq)).group_by(calls.c.sweep_id)
    found = conn.execute(wanted.where(calls.c.seq.in_(first)))
    return {row.sweep_id: as_read(row.text, word) for row in found}


def _has(owner: str, word: str) -> ColumnElement[bool]:
    plan = sweeps.c.plan
    asked = (sweeps.c.title, plan["prompt"].as_string(), plan["system"].as_string())
    lists = (cast(one, Text) for one in (plan["models"], plan["inputs"], plan["axis", "values"]))
    said = _answers(owner).with_only_columns(calls.c.sweep_id).where(_SAID.icontains(word, autoescape=True))
    return or_(*(text.icontains(word, autoescape=True) for text in (*asked, *lists)), sweeps.c.id.in_(said))


def _answers(owner: str) -> Select[Any]:
    """The texts of the answers of all sweeps; those of a judge are none."""
    return (
        select(calls.c.sweep_id, _SAID.label("text"))
        .join(answers, answers.c.call_seq == calls.c.seq)
        .outerjoin(texts, ANSWER_TEXT)
        .where(calls.c.owner == owner, calls.c.sweep_id.is_not(None), calls.c.cell_id.is_not(None))
    )

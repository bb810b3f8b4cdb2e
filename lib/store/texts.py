"""Stores each text once per owner, under a hash of itself, so that keeping one twice changes nothing."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from lib.store.prepared import Prepared
from lib.store.schema import answers, clean, message_nodes, texts

CHUNK = 500
"""Values in one statement; SQLite takes a few thousand."""
T = TypeVar("T")


def id_of(text: str) -> str:
    """SHA-256 of the text as it is stored, its first 128 bits in hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(db: Connection, owner: str, found: Iterable[str]) -> list[str]:
    """Keep texts; their ids, in their order."""
    # Cleaned before they are hashed: the id is that of the text as it is stored.
    cleaned = [clean(text) for text in found]
    ids = [id_of(text) for text in cleaned]
    rows = [{"owner": owner, "id": id, "text": text} for id, text in dict(zip(ids, cleaned, strict=True)).items()]
    insert_missing(db, texts, rows)
    return ids


def load(db: Connection, owner: str, ids: Collection[str]) -> dict[str, str]:
    """The owner's texts by id."""
    found: dict[str, str] = {}
    for some in chunks(set(ids)):
        query = select(texts.c.id, texts.c.text).where(texts.c.owner == owner, texts.c.id.in_(some))
        found.update({row.id: row.text for row in db.execute(query)})
    return found


def free(db: Connection, owner: str, ids: Collection[str]) -> None:
    """Remove those of the texts that no message and no answer of this owner has any more."""
    for some in chunks(set(ids)):
        used = {
            id
            for table in (message_nodes, answers)
            for id in db.execute(select(table.c.text_id).where(table.c.owner == owner, table.c.text_id.in_(some)))
            .scalars()
            .all()
        }
        gone = [id for id in some if id not in used]
        db.execute(delete(texts).where(texts.c.owner == owner, texts.c.id.in_(gone)))


def insert_missing(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, those excepted whose key is there already."""
    _inserting_missing(table).run_each(db, rows)


@cache
def _inserting_missing(table: Table) -> Prepared:
    def make(dialect: str) -> postgresql.Insert | sqlite.Insert:
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        # Not asked first: on PostgreSQL another process may insert the same one in between.
        return insert(table).inline().on_conflict_do_nothing()

    return Prepared(make, [column.name for column in table.c])


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, so many at a time."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some

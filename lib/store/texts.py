"""Stores each text once per owner, under a hash of itself, so that keeping one twice changes nothing."""

import hashlib
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select

from lib.store.schema import answers, clean, message_nodes, messages, texts
from lib.store.statements import chunks, insert_missing


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
    """Remove those of the texts that no message, sent or not, and no answer of this owner has any more."""
    for some in chunks(set(ids)):
        used = {
            id
            for table in (message_nodes, answers, messages)
            for id in db.execute(select(table.c.text_id).where(table.c.owner == owner, table.c.text_id.in_(some)))
            .scalars()
            .all()
        }
        gone = [id for id in some if id not in used]
        db.execute(delete(texts).where(texts.c.owner == owner, texts.c.id.in_(gone)))

"""Stores images by content hash, once per owner. Messages name them by that id."""

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, insert, select

from lib.core.contract import Message
from lib.store.schema import images


def keep(db: Connection, owner: str, urls: Iterable[str]) -> list[str]:
    """Keep data URLs; their ids."""
    ids = {_id_of(url): url for url in urls}
    known = set(db.execute(select(images.c.id).where(images.c.owner == owner, images.c.id.in_(ids))).scalars())
    for id, url in ids.items():
        if id not in known:
            db.execute(insert(images).values(owner=owner, id=id, url=url))
    return list(ids)


def load(db: Connection, owner: str, ids: Sequence[str]) -> tuple[str, ...]:
    """The data URLs of `ids`, in their order; one that this owner does not have is left out."""
    if not ids:
        return ()
    query = select(images.c.id, images.c.url).where(images.c.owner == owner, images.c.id.in_(ids))
    found = {row.id: row.url for row in db.execute(query)}
    return tuple(found[id] for id in ids if id in found)


def to_stored(db: Connection, owner: str, messages: Iterable[Message]) -> list[dict[str, object]]:
    """Messages as JSON values that name their images by id; `from_stored` brings them back."""
    return [
        {"role": one.role, "content": one.content, **({"images": keep(db, owner, one.images)} if one.images else {})}
        for one in messages
    ]


def from_stored(db: Connection, owner: str, stored: Iterable[dict[str, object]]) -> list[Message]:
    """Messages as they were before `to_stored`."""
    return [Message.model_validate({**one, "images": load(db, owner, _ids(one.get("images")))}) for one in stored]


def _ids(value: object) -> list[str]:
    return [str(id) for id in value] if isinstance(value, list) else []


def _id_of(url: str) -> str:
    """SHA-256, its first 128 bits in hex."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]

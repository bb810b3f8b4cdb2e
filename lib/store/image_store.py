"""Stores images by content hash, once per owner. Messages name them by that id."""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, insert, select

from lib.store.schema import images


def keep(db: Connection, owner: str, urls: Sequence[str]) -> list[str]:
    """Store data URLs, each once for its owner; their ids (128 bits in hex), in their order and each once."""
    if not urls:
        return []
    ids = {_id_of(url): url for url in urls}
    known = set(db.execute(select(images.c.id).where(images.c.owner == owner, images.c.id.in_(ids))).scalars())
    for id, url in ids.items():
        if id not in known:
            db.execute(insert(images).values(owner=owner, id=id, url=url))
    return list(ids)


def ids(urls: Sequence[str]) -> list[str]:
    """The ids under which data URLs are stored, in their order and each once."""
    return list(dict.fromkeys(_id_of(url) for url in urls))


def load(db: Connection, owner: str, ids: Sequence[str]) -> tuple[str, ...]:
    """The data URLs of `ids`, in their order; one that this owner does not have is left out."""
    found = load_each(db, owner, ids)
    return tuple(found[id] for id in ids if id in found)


def load_each(db: Connection, owner: str, ids: Collection[str]) -> dict[str, str]:
    """The data URLs of `ids` that this owner has, by id."""
    if not ids:
        return {}
    query = select(images.c.id, images.c.url).where(images.c.owner == owner, images.c.id.in_(ids))
    return {row.id: row.url for row in db.execute(query)}


def _id_of(url: str) -> str:
    """SHA-256, its first 128 bits in hex."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]

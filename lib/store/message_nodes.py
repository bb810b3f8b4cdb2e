"""Conversations that were sent, each message stored once: a chain of nodes, of which a call holds the last, its tip.

A node is named by a hash of its role, its text, its images and the node it follows. So whoever has the tip has the
whole conversation; two conversations that begin alike share their beginning; and a node that is there already has
all that comes before it. Nodes and texts belong to one owner: nobody can find out what somebody else has said.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CTE, BindParameter, Connection, Select, Text, bindparam, cast, delete, literal, select

from lib.core.request import Message
from lib.store import image_store, texts
from lib.store.prepared import Prepared
from lib.store.schema import answers, calls, clean, images, message_nodes, messages
from lib.store.statements import CHUNK, chunks, insert_missing

OWNER: BindParameter[str] = bindparam("owner")
TIP: BindParameter[str] = bindparam("tip")
_NODE = [message_nodes.c[name] for name in ("hash", "parent", "role", "text_id", "images")]
LOOKED_FOR_FIRST = 8
"""How many of the last nodes are looked for at first; in a chat all but the last two are there."""


@dataclass(frozen=True, slots=True)
class Node:
    """A message of a conversation; `images` are ids."""

    hash: str
    parent: str | None
    role: str
    content: str
    images: tuple[str, ...] = ()


def chain(conversation: Iterable[tuple[str, str, Sequence[str]]]) -> list[Node]:
    """The nodes of a conversation of (role, text, ids of images), from the first to the tip."""
    nodes: list[Node] = []
    for role, text, ids in conversation:
        # As it is going to be stored: a hash of anything else would name a node whose text nobody finds.
        content, parent = clean(text), nodes[-1].hash if nodes else None
        nodes.append(Node(_hash(role, content, ids, parent), parent, role, content, tuple(ids)))
    return nodes


def keep(db: Connection, owner: str, conversation: Sequence[Message]) -> str | None:
    """Store a conversation with its images; the hash of its last node (128 bits in hex), or None for an empty one."""
    nodes = chain((one.role, one.content, image_store.keep(db, owner, one.images)) for one in conversation)
    keep_nodes(db, owner, nodes)
    return nodes[-1].hash if nodes else None


def keep_nodes(db: Connection, owner: str, nodes: Sequence[Node]) -> None:
    """Keep those of a chain's nodes that are not there yet."""
    # A node that is there has all before it, so the rest of the chain is what is new.
    missing = nodes[_known(db, owner, nodes) :]
    ids = texts.keep(db, owner, [node.content for node in missing])
    rows: list[dict[str, Any]] = [
        {
            **dict(owner=owner, hash=node.hash, parent=node.parent, role=node.role, text_id=id),
            "images": list(node.images) or None,
        }
        for node, id in zip(missing, ids, strict=True)
    ]
    insert_missing(db, message_nodes, rows)


def load(db: Connection, owner: str, tip: str | None) -> list[Message]:
    """The conversation that ends with `tip`; empty where this owner has none."""
    if tip is None:
        return []
    rows = db.execute(_path(), {"owner": owner, "tip": tip}).all()
    said = texts.load(db, owner, {row.text_id for row in rows})
    pictures = image_store.load_each(db, owner, {id for row in rows for id in row.images or ()})
    return [
        Message(
            role=row.role,
            content=said.get(row.text_id, ""),
            images=tuple(pictures[id] for id in row.images or () if id in pictures),
        )
        for row in rows
    ]


def free(db: Connection, owner: str, tips: Collection[str]) -> None:
    """Remove the conversations that end with `tips`, as far as no call of this owner needs them any more."""
    nodes = {
        row.hash: row for some in chunks(set(tips)) for row in db.execute(_all_above(), {"owner": owner, "tips": some})
    }
    kept = _needed(db, owner, nodes)
    gone = [row for hash, row in nodes.items() if hash not in kept]
    for some in chunks(row.hash for row in gone):
        db.execute(delete(message_nodes).where(message_nodes.c.owner == owner, message_nodes.c.hash.in_(some)))
    # After the nodes: a text is free when no node has it any more.
    texts.free(db, owner, {row.text_id for row in gone})
    free_images(db, owner, {id for row in gone for id in row.images or ()})


def free_images(db: Connection, owner: str, ids: Collection[str]) -> None:
    """Remove those of the images that are in no message and no answer of this owner any more."""
    for id in ids:
        used = [
            db.execute(
                select(literal(1)).where(table.c.owner == owner, cast(table.c[column], Text).contains(id)).limit(1)
            ).first()
            for table, column in ((messages, "images"), (message_nodes, "images"), (answers, "parts"))
        ]
        if not any(used):
            db.execute(delete(images).where(images.c.owner == owner, images.c.id == id))


def _hash(role: str, content: str, images: Sequence[str], parent: str | None) -> str:
    """SHA-256, its first 128 bits in hex. The text goes in by its own hash, so that a node can be checked alone."""
    canonical = json.dumps([role, texts.id_of(content), list(images), parent], separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _known(db: Connection, owner: str, nodes: Sequence[Node]) -> int:
    """How many of a chain's nodes are there, from the first. The last ones are looked for first."""
    # All calls of a sweep send the same conversation: the quick way for those.
    if nodes and _ONE.run(db, {"owner": owner, "hash": nodes[-1].hash}).fetchone():
        return len(nodes)
    end, step = len(nodes), LOOKED_FOR_FIRST
    while end > 0:
        some = [node.hash for node in nodes[max(0, end - step) : end]]
        found = set(db.execute(_among(), {"owner": owner, "some": some}).scalars())
        if found:
            return end - next(index for index, hash in enumerate(reversed(some)) if hash in found)
        end, step = end - step, CHUNK
    return 0


def _needed(db: Connection, owner: str, nodes: Mapping[str, Any]) -> set[str]:
    """Those of the nodes that are a call's tip, or that a node which is not among them follows, with all before."""
    wanted: set[str] = set()
    for some in chunks(nodes):
        tips = select(calls.c.tip).where(calls.c.owner == owner, calls.c.tip.in_(some)).distinct()
        wanted.update(db.execute(tips).scalars())
        after = select(message_nodes.c.hash, message_nodes.c.parent).where(
            message_nodes.c.owner == owner, message_nodes.c.parent.in_(some)
        )
        wanted.update(row.parent for row in db.execute(after) if row.hash not in nodes)
    kept: set[str] = set()
    for tip in wanted:
        above: str | None = tip
        while above is not None and above not in kept:
            kept.add(above)
            above = nodes[above].parent if above in nodes else None
    return kept


def _one(_dialect: str) -> Select[Any]:
    return select(literal(1)).where(message_nodes.c.owner == OWNER, message_nodes.c.hash == bindparam("hash"))


_ONE = Prepared(_one)


@cache
def _among() -> Select[Any]:
    """Built once, as it is asked before each call."""
    some: BindParameter[Any] = bindparam("some", expanding=True)
    return select(message_nodes.c.hash).where(message_nodes.c.owner == OWNER, message_nodes.c.hash.in_(some))


@cache
def _all_above() -> Select[Any]:
    """The nodes of the conversations that end with `tips`, each once."""
    columns = message_nodes.c.hash, message_nodes.c.parent
    tips = select(*columns).where(message_nodes.c.owner == OWNER)
    up = tips.where(message_nodes.c.hash.in_(bindparam("tips", expanding=True))).cte("above", recursive=True)
    parents = select(*columns).join(up, message_nodes.c.hash == up.c.parent).where(message_nodes.c.owner == OWNER)
    found = up.union(parents)
    return select(*_NODE).join(found, message_nodes.c.hash == found.c.hash).where(message_nodes.c.owner == OWNER)


@cache
def _path() -> Select[Any]:
    """The nodes from the first to `tip`."""
    path = _up()
    return (
        select(*_NODE)
        .join(path, message_nodes.c.hash == path.c.hash)
        .where(message_nodes.c.owner == OWNER)
        .order_by(path.c.depth.desc())
    )


def _up() -> CTE:
    columns = message_nodes.c.hash, message_nodes.c.parent
    tip = select(*columns, literal(0).label("depth")).where(message_nodes.c.owner == OWNER, message_nodes.c.hash == TIP)
    up = tip.cte("path", recursive=True)
    after = message_nodes.c.hash == up.c.parent
    return up.union_all(select(*columns, up.c.depth + 1).join(up, after).where(message_nodes.c.owner == OWNER))

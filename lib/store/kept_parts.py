"""Parts of answers with their images and their audio kept apart, as images of a conversation are: each once, by its
hash, so that a list of answers is read without them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from lib.core.parts import Part, text_of
from lib.store import image_store

_DATA = "data:"


def keep(db: Connection, owner: str, parts: Sequence[Part]) -> list[Part]:
    """Store what is large in `parts`; the parts with the `id` of it in its place."""
    return [_kept(db, owner, part) for part in parts]


def load(db: Connection, owner: str, parts: Sequence[Part]) -> list[Part]:
    """The parts as they came; one whose contents this owner does not have has none."""
    found = image_store.load_each(db, owner, ids(parts))
    return [
        _whole(part, found.get(text_of(part, "id"), "")) if text_of(part, "id") in found else part for part in parts
    ]


def ids(parts: Iterable[Part]) -> set[str]:
    """What of `parts` is kept apart."""
    return {text_of(part, "id") for part in parts if part.get("type") in ("image", "audio") and text_of(part, "id")}


def _kept(db: Connection, owner: str, part: Part) -> Part:
    data = text_of(part, "url") if part.get("type") == "image" else text_of(part, "data")
    if part.get("type") == "audio" and data:
        data = f"{_DATA}audio/{text_of(part, 'format')};base64,{data}"
    if part.get("type") not in ("image", "audio") or not data.startswith(_DATA):
        return part
    rest: dict[str, Any] = {name: value for name, value in part.items() if name not in ("url", "data")}
    return {**rest, "id": image_store.keep(db, owner, [data])[0]}


def _whole(part: Part, url: str) -> Part:
    if part.get("type") == "image":
        return {**part, "url": url}
    return {**part, "data": url.partition(";base64,")[2]}

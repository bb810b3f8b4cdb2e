"""Reads the chats in a file that somebody has: Tempera's own, a request's body, a list of messages, ChatGPT's and Open
WebUI's exports.

A file is read piece by piece, for its list as for its contents, so that its size does not matter. What can't be taken
is counted, and the rest comes. Only texts, images, titles, times, the standing prompt, the settings and the models'
names are read: nothing else in a file has any effect.
"""

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from lib.chat import foreign_chats, import_source
from lib.chat.attachments import heading
from lib.chat.foreign_chats import MessageList
from lib.chat.imported import ImportedChat, Losses
from lib.core import images
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.json_outline import TooMuch
from lib.core.json_stream import Piece, Source, pieces
from lib.core.titles import title_of
from lib.store.schema import clean_json

MOST_KEPT = 30_000_000
"""Bytes in memory of one chat's texts and images."""
MOST_TURNS = 20_000
_WIDE = 4_000_000
"""A longer piece is not read when it has emojis: one makes each character of its text take four bytes."""
_WIDE_SIGNS = tuple(bytes([first]) for first in range(0xF0, 0xF5))
_CHATS = ("conversations", "chats")
_KEYS = ("messages", "images", *_CHATS)


@dataclass(frozen=True, slots=True)
class Listed:
    """A chat in a file: its title, when it was last used (microseconds since 1970), and how many messages are in its
    open branch."""

    title: str
    updated_at: int | None
    messages: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a file; `lost` is what can't be taken."""

    chats: tuple[Listed, ...]
    lost: Losses


def listing(file: bytes) -> Listing:
    """The chats in a file; raises InvalidInput when there is none."""
    found: list[Listed] = []
    lost: Losses = Counter()
    for chat in _chats(file, lost):
        lost.update(chat.lost)
        branch = chat.branch
        found.append(Listed(title_of(chat.title or heading(branch[0].content)), chat.updated_at, len(branch)))
    if found:
        return Listing(tuple(found), lost)
    if lost["empty"] or lost["large"]:
        raise InvalidInput(N_("There is no chat in this file that can be brought in: they are empty or too large."))
    raise InvalidInput(N_("This file is not a chat: neither one that was saved here nor a list of messages."))


def chosen(file: bytes, places: Collection[int]) -> Iterator[ImportedChat]:
    """The chats at `places` of the listing, each read when it is asked for."""
    last = max(places, default=-1)
    for place, chat in enumerate(_chats(file, Counter())):
        if place in places:
            yield chat
        if place >= last:
            return  # the rest of a large file is not read


def _chats(file: bytes, lost: Losses) -> Iterator[ImportedChat]:
    """All chats that have a message; what is lost outside them is added to `lost`."""
    for text in import_source.texts(file):
        try:
            for chat in _in_text(text, lost):
                if chat.turns:
                    yield chat
                else:
                    lost["empty"] += 1
        except TooMuch:
            lost["large"] += 1


def _in_text(source: Source, lost: Losses) -> Iterator[ImportedChat]:
    messages, bytes_left = MessageList(), MOST_KEPT
    for found, piece in enumerate(pieces(source, _KEYS)):
        if piece.rest:
            yield from _around(piece, messages, found, lost)
            return
        raw = None if _too_large(piece) else _value(piece.text or b"")
        if not isinstance(raw, dict):
            lost["large" if _too_large(piece) else "unreadable"] += 1
        elif piece.key == "images":
            bytes_left -= _keep_image(raw, messages)
        elif piece.key == "messages" or (piece.key == "" and "role" in raw):
            message = messages.take(raw)
            bytes_left -= sys.getsizeof(message.content) + sum(map(len, message.images)) if message else 0
        elif (chat := foreign_chats.chat(raw)) is not None:
            yield chat
        else:
            lost["unreadable"] += 1
        if bytes_left < 0 or len(messages.chat.turns) > MOST_TURNS:
            raise InvalidInput(N_("The texts in this file are too long to be brought in at once: split it."))


def _around(piece: Piece, messages: MessageList, found: int, lost: Losses) -> Iterator[ImportedChat]:
    """The chat of a text that is one, now that all of it is read."""
    raw = None if piece.text is None else _value(piece.text)
    if raw is None and (found or piece.text is None):
        lost["cut"] += 1
    around = raw if isinstance(raw, dict) else {}
    if messages.chat.turns:
        yield messages.ended(around)
    elif (chat := foreign_chats.chat(around)) is not None:
        yield chat
    if isinstance(raw, list):
        lost["unreadable"] += len(raw) - found


def _keep_image(raw: dict[str, Any], messages: MessageList) -> int:
    """Take in an image that messages name; its size."""
    name, url = raw.get("id"), raw.get("url")
    if not isinstance(name, str) or not isinstance(url, str):
        return 0
    try:
        messages.pictures[name] = images.checked(url)
    except InvalidInput:
        return 0  # counted where a message names it
    return len(messages.pictures[name])


def _too_large(piece: Piece) -> bool:
    text = piece.text
    if text is None:
        return True
    wide = len(text) > _WIDE and (any(sign in text for sign in _WIDE_SIGNS) or b"\\ud" in text or b"\\uD" in text)
    return wide and b"data:image/" not in text


def _value(text: bytes) -> Any:
    """The JSON value of a text; None for what is none."""
    try:
        return from_json(text, allow_inf_nan=True)
    except ValueError:
        pass
    try:
        # Python's own reader takes half surrogate pairs, which JavaScript writes.
        return clean_json(json.loads(text))
    except (ValueError, RecursionError):
        return None

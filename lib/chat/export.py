"""Writes a chat as Markdown to read or as JSON to keep; `chat_import` reads the JSON back.

The JSON is `{"tempera": 2, "title", "created", "changed", "system", "model", "beside", "settings", "current", "images",
"messages"}`. `model` is `service/model id`, `beside` are further models that are asked too, `settings` the parameters
under the contract's names. The messages are those of all branches, each after the one it follows: `id`, `parent` (the
id of that one, or null), `role`, `content`, `date`, `images` (ids of `images`), and for an answer what it holds beside
its text, its service, model, settings and numbers. `current` is the last message of the branch that is open. Times are
ISO 8601 in UTC, costs US dollars.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.calls.records import CallRecord
from lib.chat.attachments import parted
from lib.chat.branch import Turn
from lib.chat.form import Form
from lib.chat.reader import Reader
from lib.chat.repository import Chat
from lib.core import parts
from lib.core.clock import as_datetime
from lib.core.markdown_text import boxed, ended, markdown_line

VERSION = 2
USAGE = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "source")


@dataclass(frozen=True, slots=True)
class Document:
    """A chat with the turns of all its branches, each after its parent; `branch` are the ids of the open one. `images`
    are data URLs by id, `form` is what the chat is set to."""

    chat: Chat
    turns: Sequence[Turn]
    branch: Sequence[str]
    images: Mapping[str, str]
    form: Form = field(default_factory=Form)

    @property
    def open_turns(self) -> list[Turn]:
        """The turns of the open branch."""
        by_id = {turn.id: turn for turn in self.turns}
        return [by_id[id] for id in self.branch if id in by_id]


def to_json(document: Document) -> bytes:
    """The chat as JSON."""
    chat, form = document.chat, document.form
    found = {
        "tempera": VERSION,
        "title": chat.title,
        "created": _iso(chat.created_at),
        "changed": _iso(chat.updated_at),
        "system": form.system,
        "model": form.model or None,
        "beside": list(form.others),
        "settings": form.params.to_send(),
        "current": document.branch[-1] if document.branch else None,
        # Before the messages that name them: whoever reads the file piece by piece knows them then.
        "images": [{"id": id, "url": url} for id, url in document.images.items()],
        "messages": [_message(turn) for turn in document.turns],
    }
    return json.dumps(found, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def to_markdown(document: Document, reader: Reader) -> bytes:
    """The open branch as Markdown for `reader`."""
    turns = [f"# {markdown_line(document.chat.title)}"]
    if document.form.system:
        turns.append(f"**{reader.names['system']}**\n\n{ended(document.form.system)}")
    for turn in document.open_turns:
        line = " · ".join(filter(None, (_author(turn), reader.line(turn))))
        figures = f"*{markdown_line(line)}*" if line else ""
        said = [f"**{reader.names[turn.role]}**", _said(turn), parts.to_markdown(turn.parts), figures]
        turns.append("\n\n".join(filter(None, said)))
    # Half a surrogate pair, which a model may send, has no UTF-8.
    return "\n\n---\n\n".join(turns).encode("utf-8", "replace")


def _said(turn: Turn) -> str:
    """The text of a turn, the files of a question as blocks of code."""
    if turn.role != "user":
        return ended(turn.text)
    typed, files = parted(turn.text)
    typed = ended(typed)
    blocks = [f"**{markdown_line(one.name)}**\n\n{boxed(one.text)}" for one in files]
    return "\n\n".join([typed, *blocks] if typed else blocks)


def _message(turn: Turn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "content": turn.text,
        "date": _iso(turn.call.started_at if turn.call else turn.created_at),
    }
    if turn.reasoning:
        found["reasoning"] = turn.reasoning
    if turn.images:
        found["images"] = list(turn.images)
    found |= parts.to_message(turn.parts)
    if turn.imported:
        found |= turn.imported.to_json()
    return found | _answer(turn.call, turn.choice) if turn.call else found


def _answer(call: CallRecord, choice: int) -> dict[str, Any]:
    """Who answered, how it was asked, and what it took. The usage is that of all choices of the call together."""
    return {
        "call": call.id,
        "choice": choice,
        "service": call.endpoint,
        "model": call.model,
        "model_answered": call.model_answered or None,
        "settings": dict(call.params_asked),
        "state": call.state,
        "error": call.error_kind or None,
        "finish_reason": call.choice(choice).finish_reason,
        "usage": {name: getattr(call.usage, name) for name in USAGE},
        "cost": call.cost,
        "seconds": call.seconds,
        "first_token_seconds": call.first_token_seconds,
    }


def _author(turn: Turn) -> str:
    """Service and model of an answer; "" for what nobody was asked for."""
    if turn.call is None:
        return "/".join(filter(None, (turn.imported.service, turn.imported.model))) if turn.imported else ""
    return f"{turn.call.endpoint}/{turn.call.model_answered or turn.call.model}"


def _iso(moment: int) -> str:
    """Microseconds since 1970 as ISO 8601."""
    return as_datetime(moment).isoformat(timespec="seconds")

"""Reads chats as other programs export them; of a tree of versions the open branch.

ChatGPT: `mapping` has nodes with `message`, `parent` and `children`, `current_node` is the last one. Open WebUI:
`chat.history` has `messages` by id with `parentId`, `currentId` is the last one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.chat import foreign_messages
from lib.chat.form import Form
from lib.chat.imported import ImportedChat, MadeBy
from lib.core.clock import now
from lib.core.extra_fields import SHAPING
from lib.core.images import MAX_IMAGES
from lib.core.parameters import Params
from lib.core.request import Message

_SECONDS_END = 10**11
"""A larger number is not seconds since 1970 (that would be the year 5138) but milliseconds, and so on."""
_NO_TIME = 10**30
_TAKEN = {*Params.model_fields, *SHAPING} - {"extra_fields"}
_HIDDEN = ("model_editable_context", "user_editable_context", "thoughts", "reasoning_recap")
"""Kinds of contents in ChatGPT's exports that its own page does not show as messages."""


def chat(raw: Mapping[str, Any]) -> ImportedChat | None:
    """A chat of any known form; None for what is none."""
    if isinstance(raw.get("mapping"), Mapping):
        return _chatgpt(raw)
    if isinstance(raw.get("chat"), Mapping):
        return _open_webui(raw["chat"], raw)
    if isinstance(raw.get("history"), Mapping):
        return _open_webui(raw, raw)
    if isinstance(raw.get("messages"), list):
        return _listed(raw, raw["messages"])
    if isinstance(raw.get("choices"), list):
        return _listed(raw, [one.get("message") for one in raw["choices"][:1] if isinstance(one, Mapping)])
    return None


def begun(raw: Mapping[str, Any], *more: Mapping[str, Any]) -> ImportedChat:
    """An empty chat with the title and the times of what is read."""
    found = ImportedChat(title=next((text for one in (raw, *more) if (text := _text(one, "title", "name"))), ""))
    for one in (raw, *more):
        found.created_at = found.created_at or _first_moment(one, "created", "created_at", "create_time", "timestamp")
        found.updated_at = found.updated_at or _first_moment(one, "updated", "updated_at", "update_time")
    found.updated_at = found.updated_at or found.created_at
    return found


def follow(
    found: ImportedChat, message: Message | None, created_at: int | None = None, made_by: MadeBy | None = None
) -> None:
    """Add what was said next. What stands before the first other message is the standing prompt."""
    if message is None:
        return
    if message.role == "system" and not found.turns:
        found.system = "\n\n".join(text for text in (found.system, message.content) if text)
    else:
        found.add(message, found.current, created_at, made_by if message.role == "assistant" else None)


def moment(value: Any) -> int | None:
    """A time as microseconds since 1970: from a number of seconds, milliseconds or finer, or from ISO 8601; None for
    what is no time, or one to come."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    if not isinstance(value, int | float) or not 0 < value < _NO_TIME:
        return None
    while value > _SECONDS_END:
        value /= 1000
    found = round(value * 1_000_000)
    return found if found <= now() else None


def _listed(raw: Mapping[str, Any], messages: list[Any]) -> ImportedChat:
    found = MessageList()
    for one in messages:
        found.take(one)
    return found.ended(raw)


class MessageList:
    """A chat out of a plain list of messages. In Tempera's own files each message has an `id` and its `parent`, the id
    of the one it follows, and `images` by id, which `pictures` has as data URLs; elsewhere one follows the other."""

    def __init__(self) -> None:
        self.chat = ImportedChat()
        self.pictures: dict[str, str] = {}
        self._places: dict[str, int | None] = {}

    def take(self, raw: Any) -> Message | None:
        """Add a message; None for one without a word."""
        one, chat = _mapping(raw), self.chat
        message = foreign_messages.message(raw, chat.lost)
        names = one.get("images")
        if isinstance(names, list) and one.get("role") == "user":
            message = self._with_images(message, names)
        name, parent = one.get("id"), one.get("parent")
        made_by = MadeBy.of({**one, "model": one.get("model_answered") or one.get("model")})
        if "parent" not in one or not isinstance(name, str):
            follow(chat, message, _moment_of(one), made_by)
            return message
        # Who follows one that is left out follows the one before it.
        before = self._places[name] = self._places.get(parent) if isinstance(parent, str) else None
        if message is not None:
            made_by = made_by if message.role == "assistant" else None
            self._places[name] = chat.add(message, before, _moment_of(one), made_by)
        return message

    def _with_images(self, message: Message | None, names: list[Any]) -> Message | None:
        known = [self.pictures[name] for name in names if isinstance(name, str) and name in self.pictures]
        kept = known[:MAX_IMAGES]
        self.chat.lost["image"] += len(names) - len(kept)
        return Message(role="user", content=message.content if message else "", images=tuple(kept)) if kept else message

    def ended(self, raw: Mapping[str, Any]) -> ImportedChat:
        """The whole chat; `raw` is what stands around the messages."""
        chat, around, current = self.chat, begun(raw), raw.get("current")
        chat.title, chat.created_at, chat.updated_at = around.title, around.created_at, around.updated_at
        if isinstance(raw.get("system"), str):
            chat.system = chat.system or raw["system"]
        if isinstance(current, str):
            chat.current = self._places.get(current, chat.current)
        _set(chat, raw)
        return chat


def _set(chat: ImportedChat, raw: Mapping[str, Any]) -> None:
    """Take over what a chat of Tempera's own is set to; of further fields those only that shape an answer."""
    if not isinstance(raw.get("tempera"), int):
        return
    model, settings = raw.get("model"), raw.get("settings")
    last = next((turn.made_by for turn in reversed(chat.open_turns) if turn.made_by), None)
    if not model and last and last.service:  # saved by a version that wrote no settings of the whole
        model, settings = f"{last.service}/{last.model}", last.settings
    form = Form.of(model, {"others": raw.get("beside"), "params": _shaping(settings, chat)})
    chat.model, chat.others = form.model, form.others
    if isinstance(settings, Mapping):
        chat.params = form.params


def _shaping(settings: Any, chat: ImportedChat) -> dict[str, Any]:
    kept = {name: value for name, value in _mapping(settings).items() if name in _TAKEN}
    chat.lost["setting"] += len(_mapping(settings)) - len(kept)
    return kept


def _chatgpt(raw: Mapping[str, Any]) -> ImportedChat:
    found, nodes = begun(raw), raw["mapping"]
    for node in _up(nodes, raw.get("current_node"), "parent", _last_leaf(nodes, "parent")):
        said = node.get("message")
        if isinstance(said, Mapping):
            _say(found, said)
    return found


def _say(found: ImportedChat, said: Mapping[str, Any]) -> None:
    """A message of ChatGPT's, as a usual one."""
    author, content, metadata = (_mapping(said.get(name)) for name in ("author", "content", "metadata"))
    if content.get("content_type") in _HIDDEN or metadata.get("is_visually_hidden_from_conversation"):
        return
    parts: list[Any] = []
    for part in content["parts"] if isinstance(content.get("parts"), list) else [content.get("text") or ""]:
        if isinstance(part, str):
            parts += [part] if part else []
        elif "image" in str(_mapping(part).get("content_type")):
            found.lost["image"] += 1
        else:
            found.lost["part"] += 1
    usual = {"role": author.get("role"), "name": author.get("name"), "content": parts}
    message = foreign_messages.message(usual, found.lost)
    follow(found, message, moment(said.get("create_time")), MadeBy.of({"model": metadata.get("model_slug")}))


def _open_webui(raw: Mapping[str, Any], around: Mapping[str, Any]) -> ImportedChat:
    found, history = begun(around, raw), _mapping(raw.get("history"))
    nodes = _mapping(history.get("messages"))
    branch = _up(nodes, history.get("currentId"), "parentId", _last_leaf(nodes, "parentId"))
    for one in branch or (raw["messages"] if isinstance(raw.get("messages"), list) else []):
        made_by = MadeBy.of({"model": _mapping(one).get("model")})
        follow(found, foreign_messages.message(_with_files(one), found.lost), _moment_of(one), made_by)
    if isinstance(raw.get("system"), str) and raw["system"].strip() and not found.system:
        found.system = raw["system"]
    return found


def _with_files(one: Any) -> Any:
    """A message with the images that Open WebUI keeps beside its text as parts of it."""
    files = one.get("files") if isinstance(one, Mapping) else None
    if not isinstance(files, list) or not files:
        return one
    parts: list[Any] = [one["content"]] if isinstance(one.get("content"), str) and one["content"] else []
    for file in files:
        is_image = _mapping(file).get("type") == "image"
        parts.append({"type": "image_url", "image_url": file.get("url")} if is_image else file)
    return {"role": one.get("role"), "content": parts}


def _up(nodes: Mapping[str, Any], last: Any, parent: str, otherwise: str | None) -> list[Mapping[str, Any]]:
    """The nodes from the first one to `last`, or to `otherwise` where there is no such node."""
    found: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    at = last if isinstance(last, str) and last in nodes else otherwise
    # A file may lead in a circle.
    while isinstance(at, str) and at in nodes and at not in seen:
        seen.add(at)
        found.append(_mapping(nodes[at]))
        at = found[-1].get(parent)
    return found[::-1]


def _last_leaf(nodes: Mapping[str, Any], parent: str) -> str | None:
    """The last node that none follows."""
    followed = {one.get(parent) for one in map(_mapping, nodes.values()) if isinstance(one.get(parent), str)}
    return next((id for id in reversed(list(nodes)) if id not in followed), None)


def _moment_of(one: Any) -> int | None:
    return _first_moment(_mapping(one), "date", "timestamp", "created_at", "create_time")


def _first_moment(raw: Mapping[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := moment(raw.get(name))) is not None), None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(raw: Mapping[str, Any], *names: str) -> str:
    return next((raw[name] for name in names if isinstance(raw.get(name), str) and raw[name].strip()), "")

"""Reads messages as other programs write them: request bodies, dumps of SDKs, exports.

Texts are kept to the letter. What a tool was asked and what it answered becomes quoted text. Unknown fields have no
effect at all.
"""

import json
from collections.abc import Mapping
from typing import Any

from lib.chat.imported import Losses
from lib.core import images
from lib.core.errors import InvalidInput
from lib.core.request import Message, Role

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    # What a tool says is read by the model, like a user's words.
    "tool": "user",
    "function": "user",
}
_TOOLS = ("tool", "function")
_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image_url", "input_image")


def message(raw: Any, lost: Losses) -> Message | None:
    """One message; None for one without a word or image, or of unknown form. What is left out is added to `lost`."""
    name = str(raw.get("role")).lower() if isinstance(raw, Mapping) else ""
    role = _ROLES.get(name)
    if role is None:
        lost["message"] += 1
        return None
    texts, urls = _content(raw.get("content"), lost)
    if isinstance(raw.get("refusal"), str):
        texts.append(raw["refusal"])
    texts = texts or _spoken(raw.get("audio"))
    text = "\n".join(texts)
    if name in _TOOLS and text:
        text = _quoted(f"{raw.get('name') or name}:\n{text}")
    calls = [_quoted(call) for call in map(_call, _listed(raw.get("tool_calls"))) if call]
    if not ("parent" in raw and text):  # an answer that was saved here has its text to the letter
        text = "\n\n".join([*([text] if text else []), *calls])
    if role == "assistant":
        lost["image"] += len(_listed(raw.get("images")))
        lost["part"] += isinstance(raw.get("audio"), Mapping)
    kept = tuple(_taken(urls, role, lost))
    return Message(role=role, content=text, images=kept) if text or kept else None


def _spoken(audio: Any) -> list[str]:
    """What a spoken answer says, in words."""
    words = audio.get("transcript") if isinstance(audio, Mapping) else None
    return [words] if isinstance(words, str) else []


def _content(content: Any, lost: Losses) -> tuple[list[str], list[str]]:
    """The texts and the images' URLs in a content, which is a text, a list of parts, or nothing."""
    if content is None:
        return [], []
    texts: list[str] = []
    urls: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, str):
            texts.append(part)
        elif kind in _TEXTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "refusal" and isinstance(part.get("refusal"), str):
            texts.append(part["refusal"])
        elif kind in _IMAGES:
            urls.append(_url(part.get("image_url")))
        else:
            lost["part"] += 1
    return texts, urls


def _url(value: Any) -> str:
    url = value.get("url") if isinstance(value, Mapping) else value
    return url if isinstance(url, str) else ""


def _taken(urls: list[str], role: Role, lost: Losses) -> list[str]:
    """Those images that can go with a message, written anew."""
    found: list[str] = []
    for url in urls:
        try:
            if role != "user" or len(found) == images.MAX_IMAGES:
                raise ValueError
            found.append(images.checked(url))
        except (InvalidInput, ValueError):
            lost["image"] += 1
    return found


def _call(call: Any) -> str:
    """A tool call as `name(arguments)`."""
    asked = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(asked, Mapping):
        return ""
    arguments = asked.get("arguments")
    words = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"{asked.get('name')}({words})"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

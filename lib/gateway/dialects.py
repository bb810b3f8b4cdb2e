"""Field names that differ between gateways: text, reasoning, index, finish reason (token counts: usage_report.py)."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib.gateway.whole_characters import well_formed

_SPELLINGS = {
    "stop": ("eos", "eos_token", "end_turn", "end", "completed", "complete", "finished", "done", "stop_sequence"),
    "length": ("max_tokens", "max_output_tokens", "max_length", "model_length", "model_context_window_exceeded"),
    "content_filter": (
        *("content_filtered", "sensitive", "safety", "image_safety", "recitation", "prohibited_content", "blocklist"),
        *("spii", "refusal", "guardrail_intervened", "model_armor"),
    ),
    "tool_calls": ("tool_call", "tool_use"),
}
"""The API's finish reasons, and how else services spell them, in lower case."""
FINISH_REASONS: Mapping[str, str | None] = {
    **{other: reason for reason, others in _SPELLINGS.items() for other in (reason, *others)},
    "function_call": "function_call",
    "null": None,
    "none": None,
    "": None,
}
"""Spellings of the API's finish reasons, in lower case and with `_`; others are kept as they come."""
BREAKS = {"abort", "aborted", "cancelled", "canceled", "insufficient_system_resource", "network_error", "timeout"}
"""Finish reasons that say: the service gave up before the answer was whole."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
REASONING = (
    *("reasoning_content", "reasoning", "thinking", "thought", "reasoning_text"),
    *("reasoning_details", "thinking_blocks"),
)
"""Fields of a delta or message that hold its reasoning, the first that says something counts."""
THOUGHTS = ("thinking", "reasoning", "thought", "reasoning_text", "summary_text", "redacted_thinking")
"""Types of content parts that are reasoning and not text."""


def is_chunk(value: Any) -> bool:
    """Whether a JSON value is a piece of a stream, rather than a whole answer or anything else."""
    if not isinstance(value, dict):
        return False
    choices = value.get("choices")
    in_pieces = isinstance(choices, list) and any(isinstance(one, dict) and "delta" in one for one in choices)
    return in_pieces or value.get("object") == "chat.completion.chunk"


def piece_of(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The delta or the message of a choice; the choice itself where it has neither."""
    for name in ("delta", "message"):
        piece = choice.get(name)
        if isinstance(piece, dict):
            return piece
    return choice


def reasoning_in(piece: Mapping[str, Any]) -> str:
    """The reasoning in a delta, once, though some services send it under two names."""
    named = next((text for name in REASONING if (text := _thought(piece.get(name)))), "")
    parts = (part for part in _parts(piece) if part.get("type") in THOUGHTS or "thinking" in part)
    return named or "".join(map(_thought, parts))


def _thought(value: Any, deep: int = 4) -> str:
    """Reasoning as a text, in parts, or under one more name (`{"type": "thinking", "thinking": …}`)."""
    if not value or deep == 0:
        return ""
    if isinstance(value, list):
        return "".join(_thought(part, deep - 1) for part in value)
    if not isinstance(value, dict):
        return piece_in(value)
    names = ("text", "thinking", "reasoning", "content", "summary")
    return next((text for name in names if (text := _thought(value.get(name), deep - 1))), "")


def _parts(piece: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a content that comes in parts."""
    content = piece.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def content_in(piece: Mapping[str, Any]) -> str:
    """The text in a delta or message, without what is reasoning."""
    content = piece.get("content")
    if isinstance(content, list):
        content = [part for part in content if not (isinstance(part, dict) and part.get("type") in THOUGHTS)]
    return piece_in(content) or _unquoted(content) or piece_in(piece.get("text"))


def _unquoted(content: Any) -> str:
    """What some gateway has made of a text that looked like JSON: a number (PHP), or the object it was asked for."""
    number = isinstance(content, int | float) and not isinstance(content, bool)
    value = isinstance(content, dict) and content and not content.keys() & {"type", "text", "summary"}
    return json.dumps(content, ensure_ascii=False) if number or value else ""


def refusal_in(piece: Mapping[str, Any]) -> str:
    """The words with which a model declines, in a field of their own or a part of the content."""
    return piece_in(piece.get("refusal")) or "".join(piece_in(part.get("refusal")) for part in _parts(piece))


def transcript_in(piece: Mapping[str, Any]) -> str:
    """What a spoken answer says, in words."""
    spoken = (sound.get("transcript") for holder in (piece, *_parts(piece)) for sound in sounds_in(holder))
    return "".join(map(piece_in, spoken))


def sounds_in(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a message, a delta or a part of a content holds of a spoken answer: mostly nothing."""
    kind = holder.get("type")
    inside = holder.get(kind if isinstance(kind, str) and "audio" in kind else "audio")
    if isinstance(inside, dict):
        return [inside]
    return [holder] if isinstance(kind, str) and "audio" in kind else []


def text_in(content: Any) -> str:
    """The text of `content` that comes whole: a string, or a list of parts."""
    return well_formed(piece_in(content))


def piece_in(content: Any) -> str:
    """The text of `content` as it came: of a text that comes in pieces it may end in half a character."""
    if not content:
        return ""  # most fields are not there: asked of each word's seven
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(piece_in(part) for part in content if not isinstance(part, list))
    if isinstance(content, dict):
        named = (content.get(name) for name in ("text", "summary"))
        said = (one.get("value") if isinstance(one, dict) else one for one in named)
        return next((one for one in said if isinstance(one, str)), "")
    return ""


def indexes_of(choices: Sequence[Any], asked: int) -> Sequence[int]:
    """The indexes of the choices that came together. Some gateways give the same one to all that were asked for: then
    their positions; else they are pieces of one choice."""
    given = [choice.get("index") if isinstance(choice, dict) else None for choice in choices]
    found = [index_of(index, position) for position, index in enumerate(given)]
    return range(asked) if len(found) == asked > 1 and len(set(found)) == 1 else found


def index_of(value: Any, position: int) -> int:
    """A choice's index; its position where it is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Lua and JavaScript have but one kind of number
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if whole else position


def finish_reason(value: Any) -> str | None:
    """A finish reason as the API spells it; None while there is none."""
    if not isinstance(value, str):
        return None
    word = _CAMEL.sub("_", value.strip()).lower().replace("-", "_")
    return FINISH_REASONS.get(word, value)

"""Field names that differ between gateways: text, reasoning, index, finish reason (token counts: usage_report.py)."""

from collections.abc import Mapping
from typing import Any

FINISH_REASONS = {
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "completed": "stop",
    "stop_sequence": "stop",
    "STOP": "stop",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "model_context_window_exceeded": "length",
    "sensitive": "content_filter",
    "SAFETY": "content_filter",
    "null": None,
    "": None,
}
"""Spellings of the contract's finish reasons; others are kept as they come."""
BREAKS = {"abort", "aborted", "insufficient_system_resource", "network_error"}
"""Finish reasons that say: the service gave up before the answer was whole."""


def piece_of(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The delta or the message of a choice; the choice itself where it has neither."""
    for name in ("delta", "message"):
        piece = choice.get(name)
        if isinstance(piece, Mapping):
            return piece
    return choice


def reasoning_in(piece: Mapping[str, Any]) -> str:
    """The reasoning in a delta, once, though some services send it under two names."""
    plain = text_in(piece.get("reasoning_content")) or text_in(piece.get("reasoning"))
    return plain or text_in(piece.get("reasoning_details")) or _thoughts(piece.get("content"))


def _thoughts(content: Any) -> str:
    """The reasoning among the parts of a content, as Mistral sends it."""
    parts = content if isinstance(content, list) else []
    return "".join(text_in(part.get("thinking")) for part in parts if isinstance(part, Mapping))


def text_in(content: Any) -> str:
    """The text of `content`: a string, or a list of parts; lone surrogates, which no database takes, replaced."""
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _lone(content) else content
    if isinstance(content, list):
        return "".join(text_in(part) for part in content if not isinstance(part, list))
    if isinstance(content, Mapping):
        return next((text_in(content[name]) for name in ("text", "summary") if isinstance(content.get(name), str)), "")
    return ""


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def index_of(value: Any, position: int) -> int:
    """A choice's index; its position where it is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if whole else position


def finish_reason(value: Any) -> str | None:
    """A finish reason as the contract spells it; None while there is none."""
    return FINISH_REASONS.get(value, value) if isinstance(value, str) else None

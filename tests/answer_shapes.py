"""Every shape in which services send the words and the thoughts of an answer: a delta of a stream, or a message."""

from collections.abc import Callable
from typing import Any

Shape = Callable[[str], dict[str, Any]]


def part(**fields: Any) -> dict[str, Any]:
    return {"content": [fields]}


TEXTS: dict[str, Shape] = {
    "content": lambda said: {"content": said},
    "content among empty fields": lambda said: {
        **dict.fromkeys(("refusal", "audio", "reasoning", "thinking", "tool_calls", "function_call", "images")),
        "content": said,
    },
    "text": lambda said: {"text": said},
    "part": lambda said: part(type="text", text=said),
    "part without a type": lambda said: part(text=said),
    "part of output": lambda said: part(type="output_text", text=said, annotations=[]),
    "part with a value": lambda said: part(type="text", text={"value": said, "annotations": []}),
    "two parts": lambda said: {"content": [{"type": "text", "text": said[:1]}, {"type": "text", "text": said[1:]}]},
    "one part, not in a list": lambda said: {"content": {"type": "text", "text": said}},
    "strings": lambda said: {"content": [said]},
    "refusal": lambda said: {"content": None, "refusal": said},
    "part that refuses": lambda said: part(type="refusal", refusal=said),
    "audio": lambda said: {"content": None, "audio": {"id": "a", "transcript": said}},
    "part with audio": lambda said: part(type="audio", audio={"transcript": said}),
    "part of spoken output": lambda said: part(type="output_audio", transcript=said),
}
THOUGHTS: dict[str, Shape] = {
    **{
        name: lambda thought, name=name: {name: thought}  # type: ignore[misc]
        for name in ("reasoning_content", "reasoning", "thinking", "thought", "reasoning_text")
    },
    "two names": lambda thought: {"reasoning": thought, "reasoning_content": thought},
    "details": lambda thought: {"reasoning_details": [{"type": "reasoning.text", "text": thought}]},
    "details of a summary": lambda thought: {"reasoning_details": [{"type": "reasoning.summary", "summary": thought}]},
    "blocks": lambda thought: {"thinking_blocks": [{"type": "thinking", "thinking": thought, "signature": "s"}]},
    "object": lambda thought: {"reasoning": {"content": thought}},
    "object with its own name": lambda thought: {"thinking": {"thinking": thought}},
    "part": lambda thought: part(type="thinking", thinking=thought),
    "part of parts": lambda thought: part(type="thinking", thinking=[{"type": "text", "text": thought}]),
    **{
        f"part, a {type} with a text": lambda thought, type=type: part(type=type, text=thought)  # type: ignore[misc]
        for type in ("reasoning", "thinking", "thought", "reasoning_text", "summary_text", "redacted_thinking")
    },
    "part with its own name": lambda thought: part(type="reasoning", reasoning=thought),
    "part with a summary": lambda thought: part(type="reasoning", summary=[{"type": "summary_text", "text": thought}]),
}
SHAPES = [
    *[(f"text: {name}", THOUGHTS["reasoning_content"], shape) for name, shape in TEXTS.items()],
    *[(f"thoughts: {name}", shape, TEXTS["content"]) for name, shape in THOUGHTS.items()],
]
"""(name, how it thinks, how it speaks): each shape once, beside the usual one of the other."""


def message(thinking: dict[str, Any], speaking: dict[str, Any]) -> dict[str, Any]:
    """One message of both; where both have a content, its parts stand behind each other."""
    if isinstance(thinking.get("content"), list):
        content = speaking.get("content") or []
        after = content if isinstance(content, list) else [content]
        speaking = {**speaking, "content": [*thinking["content"], *after]}
    return {"role": "assistant", "refusal": None, "audio": None, **thinking, **speaking}

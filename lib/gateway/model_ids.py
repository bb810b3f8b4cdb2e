"""Reads the ids in a model list, in any of the shapes that services give it, and what an id tells of its model."""

import re
from collections.abc import Mapping
from typing import Any

from lib.core.request import LONGEST_MODEL_ID

MOST_LISTED = 10_000
"""Ids that are read of one list."""
_THINKS = re.compile(r"(^|/)(o\d|gpt-5)|reason|think|(^|[-/])(r1|qwq|magistral|grok-4)\b", re.IGNORECASE)
# Lists tell what a model is for in as many ways as there are services, and most in none; its name nearly always does.
_NO_CHATS = re.compile(
    r"embed|rerank|moderation|transcri|whisper|cosyvoice|sensevoice|paraformer|diffusion|midjourney"
    r"|(^|[-/_.:@ ])("
    r"bge|gte|e5|m3e|minilm|jina|voyage|llama-guard|prompt-guard|shieldgemma|davinci-002|babbage-002|turbo-instruct"
    r"|tts(-\d)?|asr|stt|speech|realtime|live|gpt-audio|4o(-mini)?-audio|kokoro|eleven"
    r"|images?|imagen|dall-?e|flux|sdxl|sd3|ideogram|recraft|seedream|cogview|wanx|jimeng|mj|mistral-ocr"
    r"|videos?|sora|veo|kling|hailuo|seedance|cogvideox?|runway|luma|vidu|suno|udio"
    r")\d*([-/_.:@ ]|$)",
    re.IGNORECASE,
)


def model_ids(value: Any) -> list[str]:
    """The ids in the JSON value of `GET /models`: each once, in order; empty where there are none."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("data", "models", "result") if value.get(name)), [])
    if isinstance(value, Mapping):
        value = list(value)
    ids = map(_id, value[:MOST_LISTED]) if isinstance(value, list) else []
    return list(dict.fromkeys(filter(None, ids)))


def thinks(model: str) -> bool:
    """Whether the id is that of a model that may think for minutes before its first word."""
    return bool(_THINKS.search(model))


def makes_chats(model: str) -> bool:
    """Whether the id is that of a model for chats, as far as it tells: not for embeddings, speech, images, films,
    ranking or moderation."""
    return not _NO_CHATS.search(model)


def _id(item: Any) -> str:
    if isinstance(item, Mapping):
        item = next((item[name] for name in ("id", "model", "name") if isinstance(item.get(name), str)), "")
    named = item.strip() if isinstance(item, str) else ""
    return named if len(named) <= LONGEST_MODEL_ID and named.isprintable() else ""

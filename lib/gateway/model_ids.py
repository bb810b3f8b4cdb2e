"""Reads the ids in a model list, in any of the shapes that services give it."""

import re
from collections.abc import Mapping
from typing import Any

from lib.core.contract import LONGEST_MODEL_ID

MOST_MODELS = 10_000
_THINKS = re.compile(r"(^|/)(o\d|gpt-5)|reason|think|(^|[-/])(r1|qwq|magistral|grok-4)\b", re.IGNORECASE)


def model_ids(value: Any) -> list[str]:
    """The ids in the JSON value of `GET /models`: each once, in order; empty where there are none."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("data", "models", "result") if value.get(name)), [])
    if isinstance(value, Mapping):
        value = list(value)
    ids = map(_id, value[:MOST_MODELS]) if isinstance(value, list) else []
    return list(dict.fromkeys(filter(None, ids)))


def thinks(model: str) -> bool:
    """Whether the id is that of a model that may think for minutes before its first word."""
    return bool(_THINKS.search(model))


def _id(item: Any) -> str:
    if isinstance(item, Mapping):
        item = next((item[name] for name in ("id", "model", "name") if isinstance(item.get(name), str)), "")
    named = item.strip() if isinstance(item, str) else ""
    return named if len(named) <= LONGEST_MODEL_ID and named.isprintable() else ""

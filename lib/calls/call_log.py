"""The log of calls: one line of JSON for each, when it has ended, with no word of what was asked or answered."""

import json
import logging
from typing import Any

from lib.core.reply import Reply
from lib.core.request import Call

log = logging.getLogger("tempera.calls")


def to_stderr() -> None:
    """Write it, one line a call and nothing around it, to where the server's messages go."""
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def write(call: Call, reply: Reply) -> None:
    """A call has ended."""
    if log.isEnabledFor(logging.INFO):
        # Escaped: an id of a model can hold anything, a line end too.
        log.info("%s", json.dumps(_facts(call, reply), ensure_ascii=True))


def _facts(call: Call, reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "event": "call",
        "id": call.id,
        "visitor": call.owner,
        "page": call.page,
        "service": call.endpoint,
        "model": call.request.model,
        "state": reply.state,
        "error": reply.error_kind or None,
        "attempts": reply.attempts,
        "seconds": round(reply.seconds, 3),
        "first_token_seconds": None if reply.first_token_seconds is None else round(reply.first_token_seconds, 3),
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost_usd": reply.cost,
        "billed": reply.billed,
    }

"""Why an answer was cut off, and how long the next one may be."""

from lib.calls.records import CallRecord
from lib.core import tokens
from lib.core.parameters import RANGES

MOST = int(RANGES["max_tokens"].highest)


def limit_reached(call: CallRecord) -> int | None:
    """The max_tokens (tokens) that cut an answer off; None where none was set, or where the service counted fewer and
    something else ended it: the model's own limit, or its context."""
    limit, written = call.params_asked.get("max_tokens"), call.usage.completion_tokens
    if not limit or (call.usage.source == "reported" and written is not None and written < limit):
        return None
    return int(limit)


def next_limit(call: CallRecord, begun: str, allowed: int | None, window: int | None) -> int | None:
    """The max_tokens for asking once more: twice what was too little, with `begun`, which the answer went on with; at
    most what the operator allows, and what the question leaves of the model's `window` (tokens; None: not known). None
    where that would not make it longer, or where max_tokens was not what ended it."""
    limit = limit_reached(call)
    if limit is None and call.params_asked.get("max_tokens"):
        return None
    reached = (limit or call.usage.completion_tokens or 0) + tokens.count(begun)
    free = window - (call.usage.prompt_tokens or 0) if window else MOST
    longer = min(2 * reached, allowed or MOST, free)
    return longer if longer > reached else None

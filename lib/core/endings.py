"""How an answer ended, in a few words for people."""

from collections.abc import Callable

from lib.core.i18n import N_
from lib.core.reply import NORMAL_END

STATES = {
    "cancelled": N_("stopped by you"),
    "partial": N_("broken off"),
    "interrupted": N_("cut by a restart"),
    "error": N_("failed"),
}
"""By the call's state; a whole answer has none."""
REASONS = {
    "length": N_("cut off"),
    "content_filter": N_("stopped by content rules"),
    "tool_calls": N_("wants to call a tool"),
    "function_call": N_("wants to call a tool"),
}
"""By the finish reason."""


def mark(finish_reason: str | None, translate: Callable[[str], str]) -> str:
    """How an answer ended that came to an end; "" for a normal one, and where the service gave no reason."""
    if finish_reason in (None, NORMAL_END):
        return ""
    words = REASONS.get(str(finish_reason))
    return translate(words) if words else translate(N_("ended: {reason}")).format(reason=finish_reason)

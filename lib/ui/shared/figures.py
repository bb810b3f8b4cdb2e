"""Formats an answer's tokens, times and cost as text."""

from lib.calls.records import CallRecord
from lib.core.i18n import N_
from lib.ui.shared.texts import _

SOURCES = {
    "reported": N_("counted by the service"),
    "estimated": N_("our estimate"),
    "unknown": N_("not known"),
}
FINISH_REASONS = {
    "stop": N_("the model had finished"),
    "length": N_("cut off at the longest answer allowed (max_tokens)"),
    "content_filter": N_("stopped by the service's content rules"),
    "tool_calls": N_("the model wants to call a tool"),
}
ENDINGS = {
    "cancelled": N_("stopped by you"),
    "partial": N_("broken off"),
    "interrupted": N_("cut by a restart"),
    "error": N_("failed"),
}


def money(dollars: float | None) -> str:
    """An amount at list prices; small ones keep two digits that count."""
    if dollars is None:
        return _("no price")
    if dollars == 0 or dollars >= 0.1:
        return f"${dollars:.2f}"
    return f"${dollars:.2g}" if dollars >= 0.0001 else f"${dollars:.6f}"


def seconds(value: float | None) -> str:
    """A duration for people."""
    return _("not known") if value is None else _("{seconds:.1f} s").format(seconds=value)


def summary(call: CallRecord) -> str:
    """The quiet line under an answer: its seconds, its cost where there is one, and anything that is not normal."""
    parts = [seconds(call.seconds)]
    if call.cost is not None:
        parts.append(money(call.cost))
    if call.state in ENDINGS:
        parts.append(_(ENDINGS[call.state]))
    elif call.finish_reason == "length":
        parts.append(_("cut off"))
    elif call.state == "ok" and call.usage.source == "estimated":
        parts.append(_("tokens estimated"))
    return " · ".join(parts)


def details(call: CallRecord) -> list[tuple[str, str]]:
    """Every number of a call, as name and value."""
    usage = call.usage
    rows = [
        (_("Model"), call.model_answered or call.model),
        (_("Service"), call.endpoint),
        (_("Input tokens (prompt)"), _tokens(usage.prompt_tokens, usage.source)),
        (_("Output tokens (completion)"), _tokens(usage.completion_tokens, usage.source)),
    ]
    if usage.reasoning_tokens:
        rows.append((_("of these for thinking"), f"{usage.reasoning_tokens:,}"))
    if usage.cached_tokens:
        rows.append((_("of the input from the cache"), f"{usage.cached_tokens:,}"))
    rows += [
        (_("First word after"), seconds(call.first_token_seconds)),
        (_("Whole time"), seconds(call.seconds)),
        (_("Speed"), _speed(call)),
        (_("Ended because"), _ending(call)),
        (_("Cost at list prices"), money(call.cost)),
    ]
    if call.attempts > 1:
        rows.append((_("Attempts"), str(call.attempts)))
    return rows


def _tokens(count: int | None, source: str) -> str:
    words = _(SOURCES[source])
    return words if count is None else f"{count:,} ({words})"


def _speed(call: CallRecord) -> str:
    writing = (call.seconds or 0) - (call.first_token_seconds or 0)
    if not call.usage.completion_tokens or writing < 0.2:
        return _("not known")
    return _("{rate:.0f} tokens per second").format(rate=call.usage.completion_tokens / writing)


def _ending(call: CallRecord) -> str:
    if call.state in ENDINGS:
        return _(ENDINGS[call.state])
    reason = call.finish_reason
    return _(FINISH_REASONS[reason]) if reason in FINISH_REASONS else reason or _("not known")

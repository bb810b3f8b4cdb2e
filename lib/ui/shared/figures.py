"""Formats an answer's tokens, times and cost as text."""

import math
from collections.abc import Iterable, Sequence

from babel.numbers import get_currency_symbol

from lib.calls.records import CallRecord
from lib.core import endings, model_names
from lib.core.budget import DOLLARS, TOKENS
from lib.core.i18n import N_, in_brackets
from lib.core.money import aligned_decimals
from lib.core.reply import Usage
from lib.ui.shared import numbers
from lib.ui.shared.texts import _, _n, country

SOURCES = {
    "reported": N_("counted by the service"),
    "gateway": N_("the gateway's estimate"),
    "estimated": N_("our estimate"),
    "unknown": N_("not known"),
}
COSTS = {
    "list": N_("list price"),
    "own": N_("at your price"),
    "reported": N_("reported by the service"),
    "free": N_("free"),
    "local": N_("free, on this computer"),
}
FINISH_REASONS = {
    "stop": N_("the model had finished"),
    "length": N_("cut off at the longest answer allowed (max_tokens)"),
    "content_filter": N_("stopped by the service's content rules"),
    "tool_calls": N_("the model wants to call a tool"),
    "function_call": N_("the model wants to call a tool"),
}
SENT_BEFORE = N_("Sent twice: the service gave up waiting the first time, and may bill that too.")


def money(dollars: float | None) -> str:
    """An amount of US dollars; small ones keep two digits that count."""
    if dollars is None:
        return _("no price")
    return numbers.in_currency(dollars, DOLLARS, country())


def dollar_sign() -> str:
    """How the reader writes US dollars, where the amount is typed."""
    return str(get_currency_symbol(DOLLARS, country()))


def currency_amount(value: float, currency: str) -> str:
    """An amount of any currency, by its code."""
    return numbers.in_currency(value, currency, country())


def in_unit(value: float, unit: str) -> str:
    """An amount of a budget's unit: money, or tokens."""
    if unit == TOKENS:
        return _n("{count:,} token", "{count:,} tokens", round(value)).format(count=round(value))
    return currency_amount(value, unit)


def number(value: float) -> str:
    """A whole number."""
    return numbers.written(value, ",", country())


def percent(share: float) -> str:
    """A share of a whole."""
    return numbers.written(share, ".0%", country())


def amount(dollars: float | None) -> str:
    """An amount of US dollars; of 0 that it is free."""
    return _("free") if dollars == 0 else money(dollars)


def known_cost(cost: float | None, unpriced: int) -> float | None:
    """What several calls cost together, as far as it is known. Where some were free and of others, `unpriced`, no price
    is known, that is nothing: together they are not free."""
    return cost if cost or not unpriced else None


def in_column(amounts: Sequence[str | None]) -> list[str | None]:
    """Amounts of one column, so that their decimal points stand under each other; None where there is none."""
    filled = iter(aligned_decimals([one for one in amounts if one is not None], numbers.decimal_point(country())))
    return [None if one is None else next(filled) for one in amounts]


def sum_of_costs(calls: Iterable[CallRecord]) -> str:
    """What several calls cost together, and whose word that is; "" where no cost is known."""
    calls = [call for call in calls if call.state != "started" and not cost_nothing(call)]
    known = [(call.cost, call.cost_source) for call in calls if call.cost is not None]
    total = known_cost(math.fsum(cost for cost, _source in known), len(calls) - len(known))
    if not known or total is None:
        return ""
    amount, sources = money(total), {source for _cost, source in known if source not in ("free", "local")}
    if total == 0:
        return _("free")
    if "own" in sources:
        return _("{cost}, at your prices where you set them").format(cost=amount)
    if "reported" not in sources:
        return _("{cost} at list prices").format(cost=amount)
    if sources == {"reported"}:
        return _("{cost} reported by the service").format(cost=amount)
    return _("{cost}, reported by the service or at list prices").format(cost=amount)


def cost(call: CallRecord) -> str:
    """What a call cost, and whose word that is."""
    if cost_nothing(call):
        return _("no cost: nothing was used")
    if call.cost_source in ("free", "local") or call.cost is None:
        return _(COSTS[call.cost_source]) if call.cost is not None else money(None)
    return in_brackets(money(call.cost), _(COSTS.get(call.cost_source, COSTS["list"])), _)


def cost_nothing(call: CallRecord) -> bool:
    """Whether it failed before anything was used: that is no price of 0, and none that is missing."""
    return call.cost is None and call.billed == "no"


def mark(finish_reason: str | None) -> str:
    """How an answer ended, in a few words; "" for a normal end, and where the service gave no reason."""
    return endings.mark(finish_reason, _)


def seconds(value: float | None) -> str:
    """A duration for people."""
    return _("not known") if value is None else _("{seconds:.1f} s").format(seconds=value)


def precise_seconds(value: float) -> str:
    """A short duration for people."""
    return _("{seconds:.2f} s").format(seconds=value)


def summary(call: CallRecord, with_mark: bool = True) -> str:
    """The quiet line under an answer: its seconds, its cost where there is one, and anything that is not normal.
    Without its mark where that stands elsewhere."""
    parts = [seconds(call.seconds)]
    if call.cost is not None and call.cost_source == "reported":
        parts.append(_("{cost} reported").format(cost=money(call.cost)))
    elif call.cost:
        parts.append(money(call.cost))
    parts += _not_normal(call, with_mark)
    if call.state == "ok" and call.usage.source in ("gateway", "estimated") and not mark(call.finish_reason):
        parts.append(_("tokens estimated"))
    return " · ".join(parts)


def line(call: CallRecord) -> str:
    """The quiet line under an answer of a chat: seconds, tokens written, cost, and anything that is not normal."""
    parts = [seconds(call.seconds)]
    if call.usage.completion_tokens:
        parts.append(_written(call.usage.completion_tokens, call.usage.source))
    if call.state == "ok" or call.cost:
        reported = _("{cost} reported") if call.cost_source == "reported" and call.cost else "{cost}"
        parts.append(reported.format(cost=amount(call.cost)))
    return " · ".join([*parts, *_not_normal(call)])


def _written(count: int, source: str) -> str:
    if source == "reported":
        return _n("{count:,} token", "{count:,} tokens", count).format(count=count)
    return _n("about {count:,} token", "about {count:,} tokens", count).format(count=count)


def _not_normal(call: CallRecord, with_mark: bool = True) -> list[str]:
    """What has to be said of an answer that is not as one expects; nothing of most."""
    parts = []
    if call.state in endings.STATES:
        parts.append(_(endings.STATES[call.state]))
    if call.model_answered and not model_names.same(call.model, call.model_answered):
        parts.append(_("answered by {model}").format(model=call.model_answered))
    if with_mark and mark(call.finish_reason):
        parts.append(mark(call.finish_reason))
    return parts


def details(call: CallRecord) -> list[tuple[str, str]]:
    """Every number of a call, as name and value."""
    usage = call.usage
    rows = [
        (_("Model"), _model(call)),
        (_("Service"), call.endpoint),
        (_("Input tokens (prompt)"), _tokens(usage, "prompt_tokens")),
        (_("of these from the cache"), _tokens(usage, "cached_tokens")),
        (_("Output tokens (completion)"), _counted_in_part(call) or _tokens(usage, "completion_tokens")),
        (_("of these for thinking"), _tokens(usage, "reasoning_tokens")),
        (_("Input and output together"), _tokens(usage, "total_tokens")),
        (_("First word after"), seconds(call.first_token_seconds)),
        (_("Whole time"), seconds(call.seconds)),
        (_("Speed"), _speed(call)),
        (_("Ended because"), ending(call)),
        (_("Cost"), cost(call)),
    ]
    if call.attempts > 1:
        rows.append((_("Attempts"), str(call.attempts)))
    return rows


def _model(call: CallRecord) -> str:
    if not call.model_answered or model_names.bare(call.model) == model_names.bare(call.model_answered):
        return call.model_answered or call.model
    return _("{answered} (asked: {asked})").format(answered=call.model_answered, asked=call.model)


def _counted_in_part(call: CallRecord) -> str:
    """Where the service counted one of several versions, and the others are counted here: that; "" everywhere else."""
    reported = (call.usage.received or {}).get("completion_tokens")
    if call.usage.source != "estimated" or not reported or call.usage.completion_tokens is None:
        return ""
    words = _("{count:,} (the service counted one of {versions} versions, {reported}; the rest is our estimate)")
    return words.format(count=call.usage.completion_tokens, versions=len(call.choices), reported=reported)


def _tokens(usage: Usage, name: str) -> str:
    """One of the counts, and whose word it is."""
    count, words = getattr(usage, name), _(SOURCES[usage.source_of(name)])
    return words if count is None else in_brackets(number(count), words, _)


def _speed(call: CallRecord) -> str:
    speed = call.speed
    return _("not known") if speed is None else _("{rate:.0f} tokens per second").format(rate=speed)


def ending(call: CallRecord) -> str:
    """Why an answer ended, in a sentence."""
    reason = call.finish_reason
    if call.state in endings.STATES:
        return _(endings.STATES[call.state])
    if not reason:
        return _("the service gave no reason") if call.state == "ok" else _("not known")
    return _(FINISH_REASONS[reason]) if reason in FINISH_REASONS else reason

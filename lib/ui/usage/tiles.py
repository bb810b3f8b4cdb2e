"""The summary sentence, five figures and how many of them are reported, estimated or unknown."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.calls.records import CallRecord
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.ui.shared.figures import amount, money
from lib.ui.shared.texts import _, _n
from lib.usage.totals import ModelTotals, Totals

COVERAGE = {
    "reported": N_("{count:,} counted by the service"),
    "estimated": N_("{count:,} estimated by us"),
    "unknown": N_("{count:,} not known"),
    "unbilled": N_("{count:,} failed before anything was used"),
}
COST_REPORTED = N_("{count:,} with the cost that the service reported")
FREE = N_("{count:,} free")
UNPRICED = N_("{count:,} have no list price")
ENDED_EARLY = N_("{count:,} ended early: their tokens count as far as they came")


def sentence(totals: Totals, models: Sequence[ModelTotals], newest: Sequence[CallRecord]) -> None:
    """The page in a sentence; a second one says what made most of it. `newest` tell whose word the cost is."""
    facts = {"tokens": f"{totals.tokens or 0:,}", "calls": _calls(totals.calls), "cost": money(totals.cost)}
    if totals.tokens is None:
        words = _("You made {calls}; how many tokens that took is not known.")
    elif totals.cost is None:
        words = _("You used {tokens} tokens in {calls}; there is no list price for any of it.")
    elif totals.cost == 0:
        words = _("You used {tokens} tokens in {calls}; those with a price were free.")
    elif any(call.cost_source == "reported" for call in newest):
        words = _("You used {tokens} tokens in {calls}, about {cost}: as services report it, else at list prices.")
    else:
        words = _("You used {tokens} tokens in {calls}, about {cost} at list prices.")
    st.subheader(words.format(**facts), anchor=False)
    if totals.tokens and len(models) > 1:
        st.markdown(_most(totals.tokens, totals, models))


def tiles(totals: Totals) -> None:
    """Five figures; they wrap on a phone."""
    with st.container(key="usage_tiles", horizontal=True, gap="medium"):
        _tile(_("Input tokens (prompt)"), _count(totals.prompt_tokens))
        _tile(_("Output tokens (completion)"), _count(totals.completion_tokens))
        _tile(_("Cost"), amount(totals.cost))
        _tile(_("Calls"), f"{totals.calls:,}", _parts((N_("{count:,} in progress"), totals.running)))
        failed, cut = (N_("{count:,} failed"), totals.failed), (N_("{count:,} cut off"), totals.cut)
        filtered = (N_("{count:,} stopped by content rules"), totals.filtered)
        stopped = (N_("{count:,} stopped by you"), totals.stopped)
        problems = totals.failed + totals.cut + totals.filtered + totals.stopped
        _tile(_("Problems"), f"{problems:,}", _parts(failed, cut, filtered, stopped))


def coverage(totals: Totals, newest: Sequence[CallRecord]) -> None:
    """How well the figures are known; sums leave out what is not. Whose word the costs are is told of `newest`, where
    they are all calls."""
    known = _parts(*((text, getattr(totals, name)) for name, text in COVERAGE.items()))
    sources = Counter(call.cost_source for call in newest) if len(newest) == totals.calls else Counter()
    costs = _parts((COST_REPORTED, sources["reported"]), (FREE, sources["free"] + sources["local"]))
    rest = [costs, _parts((UNPRICED, totals.unpriced)), _parts((ENDED_EARLY, totals.ended_early))]
    st.caption(_("Calls: {parts}.").format(parts="; ".join(part for part in (known, *rest) if part)))


def _most(tokens: int, totals: Totals, models: Sequence[ModelTotals]) -> str:
    largest = max(models, key=lambda one: one.tokens or 0)
    return _("{share:.0%} of it is {model}; {output:.0%} is text the models wrote (output).").format(
        share=(largest.tokens or 0) / tokens,
        model=literal(largest.model),
        output=(totals.completion_tokens or 0) / tokens,
    )


def _tile(label: str, value: str, under: str = "") -> None:
    st.metric(label, value, under or None, delta_color="off", delta_arrow="off", width="content")


def _calls(count: int) -> str:
    return _n("{count:,} call", "{count:,} calls", count).format(count=count)


def _count(tokens: int | None) -> str:
    return _("not known") if tokens is None else f"{tokens:,}"


def _parts(*counts: tuple[str, int]) -> str:
    """Those of the counts that are not 0, in words."""
    return ", ".join(_(text).format(count=count) for text, count in counts if count)

"""The summary sentence, five figures and how many of them are reported, estimated or unknown."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.budget import TOKENS
from lib.core.i18n import N_, joined
from lib.core.rich_text import literal
from lib.gateway.pricing import is_free_here
from lib.services import Services
from lib.ui.shared import resources
from lib.ui.shared.figures import in_unit, money, number
from lib.ui.shared.texts import _, _n
from lib.ui.usage import filters
from lib.ui.usage.sections import open_bill, open_calls
from lib.ui.usage.tables import cost_of, used_nothing
from lib.ui.usage.terms import amounts
from lib.usage.paid import Amounts
from lib.usage.scope import Outcome
from lib.usage.totals import ModelTotals, Totals

COVERAGE = {
    "reported": N_("{count:,} counted by the service"),
    "gateway": N_("{count:,} estimated by a gateway"),
    "estimated": N_("{count:,} estimated by us"),
    "unknown": N_("{count:,} not known"),
    "unbilled": N_("{count:,} failed before anything was used"),
}
COST_REPORTED = N_("{count:,} with the cost that the service reported")
HERE = N_("{count:,} free, as the model runs on this computer")
FREE = N_("{count:,} free at the service")
UNPRICED = N_("{count:,} with no price known")
PROBLEMS: dict[Outcome, str] = {
    "failed": N_("{count:,} failed"),
    "cut": N_("{count:,} cut off"),
    "filtered": N_("{count:,} stopped by content rules"),
}
STOPPED = N_("{count:,} stopped by you")
ENDED_EARLY = N_("{count:,} ended early: their tokens count as far as they came")


def sentence(totals: Totals, models: Sequence[ModelTotals], when: str, who: str) -> None:
    """The page in a sentence, which begins with `when` that was and `who` did it; a second one says what made most of
    it."""
    facts = {"when": when, "who": who, "calls": _calls(totals.calls), "tokens": _tokens(totals), "cost": _cost(totals)}
    words = _used(totals).format(**facts, free=totals.priced, unpriced=totals.unpriced)
    st.subheader(words, anchor=False)
    if totals.tokens and len(models) > 1:
        st.markdown(joined([_most(totals, models), _output(totals.tokens, totals)], _))


def _used(totals: Totals) -> str:
    """What was used, of facts that are still to be filled in."""
    if totals.running == totals.calls:
        return _("{when} {who} made {calls}; what that takes is known when it has ended.")
    if used_nothing(totals):
        return _n(
            "{when} {who} made {calls}; it failed before anything was used.",
            "{when} {who} made {calls}; all failed before anything was used.",
            totals.calls,
        )
    if totals.tokens is None:
        return _("{when} {who} made {calls}; how many tokens that took is not known.")
    if totals.cost is None:
        return _("{when} {who} used {tokens} in {calls}; none of it has a price.")
    if totals.cost == 0 and totals.unpriced:
        return _("{when} {who} used {tokens} in {calls}: {free:,} free, {unpriced:,} with no price known.")
    if totals.cost == 0:
        return _("{when} {who} used {tokens} in {calls}; all of it was free.")
    if totals.cost_own:
        return _("{when} {who} used {tokens} in {calls}, {cost}: at your prices where you set them.")
    if totals.cost_reported and totals.cost_reported + totals.cost_free == totals.priced:
        return _("{when} {who} used {tokens} in {calls}, {cost} as the service reports it.")
    if totals.cost_reported:
        return _("{when} {who} used {tokens} in {calls}, {cost}: as services report it, else at list prices.")
    return _("{when} {who} used {tokens} in {calls}, {cost} at list prices.")


def _tokens(totals: Totals) -> str:
    """How many they are; where some calls' are not known, that they are more."""
    words = in_unit(totals.tokens or 0, TOKENS)
    return _("at least {amount}").format(amount=words) if totals.unknown else words


def _cost(totals: Totals) -> str:
    """What that cost; where some calls have no price, that it is more."""
    words = _("at least {amount}") if totals.unpriced else _("about {amount}")
    return words.format(amount=money(totals.cost))


def tiles(totals: Totals, paid: Amounts) -> None:
    """Five figures; they wrap on a phone. What stands under one opens the calls behind it. `paid` is what was really
    paid, where that is known."""
    ended = totals.calls - totals.running
    used = ended - totals.unbilled if totals.tokens else 0  # of what failed before, there is nothing to count
    counted = N_("{share:.0%} counted by the service"), totals.reported, used
    nothing = 0 if used_nothing(totals) else None
    with st.container(key="usage_tiles", horizontal=True, gap="medium"):
        with _tile(_("Input tokens (prompt)"), _count(totals.prompt_tokens, nothing)):
            _share(*counted)
            _part(N_("{count:,} of it from the cache"), totals.cached_tokens)
        with _tile(_("Output tokens (completion)"), _count(totals.completion_tokens, nothing)):
            _share(*counted)
            _part(N_("{count:,} of it for thinking"), totals.reasoning_tokens)
        in_part = totals.cost == 0 and totals.unpriced
        with _tile(_("Cost"), _("free in part") if in_part else cost_of(totals)):
            _under_cost(totals, ended, paid)
        with _tile(_("Calls"), number(totals.calls)):
            _way_on("all", _("See them"))
            _way_on("running", N_("{count:,} in progress"), totals.running)
            _way_on("stopped", STOPPED, totals.stopped)
        with _tile(_("Problems"), number(sum(getattr(totals, name) for name in PROBLEMS))):
            for name, words in PROBLEMS.items():
                _way_on(name, words, getattr(totals, name))


def _under_cost(totals: Totals, ended: int, paid: Amounts) -> None:
    """How many calls have a price, what was really paid, and the ways to prices and to other models."""
    _share(N_("{share:.0%} of the calls have a price"), ended - totals.unpriced, ended if totals.cost else 0)
    if totals.cost == 0 and totals.unpriced:
        words = _("{free:,} of {calls:,} free, {unpriced:,} with no price known")
        st.caption(words.format(free=totals.priced, calls=ended, unpriced=totals.unpriced))
    if paid:
        st.caption(literal(_("you pay {amount}").format(amount=amounts(paid))))
    if totals.unpriced and not resources.services().shared:
        st.button(_("Set prices"), key="usage_set_prices", type="tertiary", on_click=open_bill)
    if totals.tokens:
        st.button(_("On another model?"), key="usage_to_what_if", type="tertiary", on_click=open_bill)


def coverage(totals: Totals, here: int) -> None:
    """How well the tokens are known, and whose word the costs are; sums leave out what is not known. `here` of the
    calls ran on this computer and are free for that."""
    tokens = _parts(*((text, getattr(totals, name)) for name, text in COVERAGE.items()))
    costs = _parts(
        (COST_REPORTED, totals.cost_reported),
        (HERE, here),
        (FREE, totals.cost_free - here),
        (UNPRICED, totals.unpriced),
    )
    ended_early = _parts((ENDED_EARLY, totals.ended_early))
    told = (
        (_("Tokens of these calls: {parts}."), tokens),
        (_("Their cost: {parts}."), costs),
        (_("Of them {parts}."), ended_early),
    )
    st.caption(joined((words.format(parts=parts) for words, parts in told if parts), _))


def on_this_computer(services: Services, owner: str, models: Sequence[ModelTotals]) -> int:
    """How many of the models' calls are free because they ran on this computer."""
    endpoints = {one.name: one for one in services.registry.endpoints(owner)}
    return sum(
        one.cost_free
        for one in models
        if one.endpoint in endpoints and is_free_here(endpoints[one.endpoint], one.model)
    )


def _most(totals: Totals, models: Sequence[ModelTotals]) -> str:
    """Whose most of the money was; where nothing cost any, whose most of the tokens were."""
    if totals.cost:
        dearest = max(models, key=lambda one: one.cost or 0)
        words = _("{share:.0%} of the cost is {model}.")
        if totals.unpriced:
            words = _("{share:.0%} of the cost that is known is {model}.")
        return words.format(share=(dearest.cost or 0) / totals.cost, model=literal(dearest.model))
    largest = max(models, key=lambda one: one.tokens or 0)
    share = (largest.tokens or 0) / (totals.tokens or 1)
    return _("{share:.0%} of the tokens are {model}.").format(share=share, model=literal(largest.model))


def _output(tokens: int, totals: Totals) -> str:
    """How much of the tokens the models wrote."""
    share = (totals.completion_tokens or 0) / tokens
    return _("{share:.0%} of the tokens are text the models wrote (output).").format(share=share)


def _tile(label: str, value: str) -> DeltaGenerator:
    place = st.container(width="content", gap=None)
    place.metric(label, value, width="content")
    return place


def _share(words: str, part: int, whole: int) -> None:
    """How well a figure is known, where it is in part."""
    if 0 <= part < whole:
        st.caption(_(words).format(share=part / whole))


def _part(words: str, count: int | None) -> None:
    """What is contained in a figure, where that is known and something."""
    if count:
        st.caption(_(words).format(count=count))


def _way_on(outcome: Outcome | Literal["all"], words: str, count: int | None = None) -> None:
    """Opens the calls that went so; nothing where there are none."""
    if count == 0:
        return
    st.button(
        _(words).format(count=count) if count else words,
        key=f"usage_open_{outcome}",
        type="tertiary",
        on_click=_open,
        args=(() if outcome == "all" else (outcome,),),
    )


def _open(outcomes: tuple[Outcome, ...]) -> None:
    if outcomes:
        filters.show_only(outcomes=outcomes)
    open_calls()


def _calls(count: int) -> str:
    return _n("{count:,} call", "{count:,} calls", count).format(count=count)


def _count(tokens: int | None, otherwise: int | None) -> str:
    known = otherwise if tokens is None else tokens
    return _("not known") if known is None else number(known)


def _parts(*counts: tuple[str, int]) -> str:
    """Those of the counts that are not 0, in words."""
    return _(", ").join(_(text).format(count=count) for text, count in counts if count)

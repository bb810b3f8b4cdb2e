"""The visitor's budgets: kept when they are set, and mentioned where they are nearly or wholly spent."""

import streamlit as st

from lib.core.budget import SPANS, TOKENS, Budget, Span
from lib.core.errors import BudgetReached
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.figures import in_unit
from lib.ui.shared.other_pages import USAGE_PAGE
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.visitor import own_budgets
from lib.visitor.own_budgets import OwnCurrency

SPENT: dict[Span, str] = {
    "session": N_("This session's budget of {limit} is spent"),
    "day": N_("Today's budget of {limit} is spent"),
    "month": N_("This month's budget of {limit} is spent"),
}
NEAR: dict[Span, str] = {
    "session": N_("{share:.0%} of this session's budget of {limit} is used"),
    "day": N_("{share:.0%} of today's budget of {limit} is used"),
    "month": N_("{share:.0%} of this month's budget of {limit} is used"),
}


def put(services: Services, owner: str, budget: Budget) -> None:
    """Set a budget, in place of the one for the same span. Raises StoreError."""
    _keep(services, owner, {**_by_span(services, owner), budget.span: budget})


def count_in(services: Services, owner: str, own: OwnCurrency | None) -> None:
    """From now on budgets of money in the owner's currency are of this one, at its rate. Raises StoreError."""
    services.store.write(lambda db: own_budgets.keep_currency(db, owner, own)).result()
    _keep(services, owner, {span: own_budgets.converted(one, own) for span, one in _by_span(services, owner).items()})


def take_off(services: Services, owner: str, span: Span) -> None:
    """Let there be no budget for a span. Raises StoreError."""
    _keep(services, owner, {name: one for name, one in _by_span(services, owner).items() if name != span})


def reached_sentence(reached: BudgetReached) -> str:
    """What a reached budget says, as Markdown, its amounts as the reader writes them."""
    budget, limit = reached.budget, reached.budget.limit
    facts = {"limit": limit, "left": max(0.0, limit - reached.spent), "worst": reached.worst}
    return _(reached.message).format(
        **{name: literal(in_unit(*budget.as_counted(value))) for name, value in facts.items()}
    )


def budget_line(services: Services, visitor: Visitor, page: str) -> None:
    """A quiet line where a budget is nearly or wholly spent, which leads to it; nothing while all is well."""
    standings = services.budgets.standings(visitor.owner, visitor.session)
    fullest = max((one for one in standings if one.near), key=lambda one: one.share, default=None)
    if fullest is None:
        return
    budget = fullest.budget
    words = _((SPENT if fullest.reached else NEAR)[budget.span])
    label = words.format(limit=in_unit(*budget.as_counted(budget.limit)), share=fullest.share)
    icon = ":material/savings:"
    if st.button(literal(label), key=f"{page}_budget", type="tertiary", icon=icon, help=_("Open the budget")):
        open_budget()


def says_of_unpriced(services: Services, visitor: Visitor) -> str:
    """What is to be said of a model without a price where there is a budget of money; "" where there is none."""
    if all(one.unit == TOKENS for one in services.budgets.of(visitor.owner)):
        return ""
    return _("Without a price your budget can't count it; a budget in tokens can.")


def open_budget() -> None:
    """Go to the budgets on the Usage page."""
    state.usage_section = "budget"
    st.switch_page(USAGE_PAGE)


def _by_span(services: Services, owner: str) -> dict[Span, Budget]:
    return {one.span: one for one in services.budgets.of(owner)}


def _keep(services: Services, owner: str, budgets: dict[Span, Budget]) -> None:
    wanted = [budgets[span] for span in SPANS if span in budgets]
    services.store.write(lambda db: own_budgets.save(db, owner, wanted)).result()
    services.budgets.set(owner, wanted)

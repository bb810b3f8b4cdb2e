"""The question that stands where a budget would be passed: go on once, raise it, or not now."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.core.budget import TOKENS
from lib.core.errors import BudgetReached, StoreError
from lib.services import Services
from lib.ui.shared import budgets
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence
from lib.ui.shared.visitor import Visitor

RAISED = "budget_raised"


def ask_first(reached: BudgetReached, then: Callable[[], None]) -> None:
    """Open the question; `then` is what goes on where the answer is yes."""
    st.session_state.pop(RAISED, None)
    state.over_budget, state.page_is_due = (reached, then), True


def budget_dialog(services: Services, visitor: Visitor) -> None:
    """The dialog, while it is open; and what goes on after it, in the run after the one in which it was closed."""
    if state.after_budget is not None:
        (once, then), state.after_budget = state.after_budget, None
        with services.budgets.once(visitor.owner, visitor.session) if once else nullcontext():
            then()
        st.rerun()
    if state.over_budget is not None:
        st.dialog(_("Over your budget"), on_dismiss=state.close_dialogs)(_body)(services, visitor)


def _body(services: Services, visitor: Visitor) -> None:
    if state.over_budget is None:
        st.rerun()  # a dialog's own run draws nothing outside of it
    reached, then = state.over_budget
    st.markdown(budgets.reached_sentence(reached))
    st.caption(_("What you typed is kept. The budget is looked after on the Usage page."))
    st.button(_("Go on once"), key="budget_once", type="primary", on_click=_go_on, args=(True, then))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(_("New budget"), min_value=0.0, key=RAISED, width=160, **_suggested(reached))
        st.button(
            _("Raise it and go on"),
            key="budget_raise",
            on_click=_raise,
            args=(services, visitor.owner, reached, then),
        )
    st.button(_("Cancel"), key="budget_not_now", type="tertiary", on_click=state.close_dialogs)


def _suggested(reached: BudgetReached) -> dict[str, Any]:
    enough, _unit = reached.budget.as_counted(max(2 * reached.budget.limit, reached.spent + reached.worst))
    if reached.budget.unit == TOKENS:
        return {"value": float(math.ceil(enough)), "step": 1000.0, "format": "%.0f"}
    return {"value": math.ceil(100 * enough) / 100, "step": 0.5, "format": "%.2f"}


def _go_on(once: bool, then: Callable[[], None]) -> None:
    state.close_dialogs()
    state.after_budget = (once, then)


def _raise(services: Services, owner: str, reached: BudgetReached, then: Callable[[], None]) -> None:
    limit = reached.budget.in_unit(st.session_state[RAISED])
    try:
        if limit > reached.budget.limit:
            budgets.put(services, owner, replace(reached.budget, limit=limit))
    except StoreError as refused:
        state.notices.append(error_sentence(refused))
        state.close_dialogs()
    else:
        _go_on(False, then)

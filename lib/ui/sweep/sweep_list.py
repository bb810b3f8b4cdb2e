"""The sidebar's list of sweeps."""

import streamlit as st

from lib.core.rich_text import literal
from lib.services import Services
from lib.sweep import repository as sweeps
from lib.ui.shared.state import LISTED, state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions


def sweep_list(services: Services, visitor: Visitor) -> None:
    """New sweep, and the old ones with how far they came, the newest first."""
    limit = state.listed_sweeps
    found = services.store.read(lambda db: sweeps.sweeps_of(db, visitor.owner, limit + 1))
    with st.sidebar:
        st.button(_("New sweep"), key="sweep_new", icon=":material/add:", on_click=actions.new, width="stretch")
        for sweep in found[:limit]:
            st.button(
                f"{literal(sweep.title)}  \n{sweep.done + sweep.failed}/{sweep.total}",
                key=f"sweep_open_{sweep.id}",
                type="secondary" if sweep.id == state.sweep_id else "tertiary",
                on_click=actions.open_sweep,
                args=(sweep.id,),
                width="stretch",
            )
        if len(found) > limit:
            st.button(_("More"), key="sweep_list_more", type="tertiary", icon=":material/expand_more:", on_click=_more)


def no_such_sweep() -> None:
    """Says that the address names a sweep that there is not."""
    with st.container(key="sweep_missing"):
        st.info(
            _("There is no such sweep here. It may have been deleted, or it is on another computer."),
            icon=":material/info:",
        )


def _more() -> None:
    state.listed_sweeps += LISTED

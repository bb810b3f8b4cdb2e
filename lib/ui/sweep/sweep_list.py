"""The sidebar's list of sweeps."""

import streamlit as st

from lib.services import Services
from lib.sweep import repository as sweeps
from lib.ui.shared.markdown import plain
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions

SHOWN = 100


def sweep_list(services: Services, visitor: Visitor) -> None:
    """New sweep, and the old ones with how far they came, the newest first."""
    found = services.store.read(lambda db: sweeps.sweeps_of(db, visitor.owner))
    with st.sidebar:
        st.button(_("New sweep"), key="sweep_new", icon=":material/add:", on_click=actions.new, width="stretch")
        for sweep in found[:SHOWN]:
            st.button(
                f"{plain(sweep.title)}  \n{sweep.done + sweep.failed}/{sweep.total}",
                key=f"sweep_open_{sweep.id}",
                type="secondary" if sweep.id == state.sweep_id else "tertiary",
                on_click=actions.open_sweep,
                args=(sweep.id,),
                width="stretch",
            )

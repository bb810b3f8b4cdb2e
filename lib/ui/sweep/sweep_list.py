"""The sidebar's list of sweeps: new, search, open, rename, use again, delete."""

import streamlit as st

from lib.core.rich_text import literal
from lib.services import Services
from lib.sweep.repository import Sweep
from lib.ui.shared.dates import short_date
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions
from lib.ui.sweep.sweep_state import LISTED, sweep_state

EVERY_SECONDS = 2.0
SEARCH = "sweep_list_search"
LINES = "{}  \n:small[{}]"


def sweep_list(services: Services, visitor: Visitor) -> None:
    """New sweep, and the old ones with what they compared and how far they came, the newest first."""
    with st.sidebar:
        st.button(_("New sweep"), key="sweep_new", icon=":material/add:", on_click=actions.new, width="stretch")
        # While a sweep runs the counts are live, and only this part of the page runs for them.
        live = services.sweeps.any_running(visitor.owner)
        st.fragment(_list, run_every=EVERY_SECONDS if live else None)(services, visitor, state.sweep_id, live)


def _list(services: Services, visitor: Visitor, drawn_for: str | None, live: bool) -> None:
    # Asked before the counts are read: once nothing runs they are the last ones.
    still = services.sweeps.any_running(visitor.owner)
    if state.sweep_id != drawn_for:
        st.rerun(scope="app")  # a press in here runs only this part, and what is open stands outside of it
    words, limit = st.session_state.get(SEARCH) or "", sweep_state.listed_sweeps
    found = services.sweeps.listed(visitor.owner, words, limit + 1)
    if found or words:
        label = _("Search all sweeps")
        st.text_input(label, key=SEARCH, placeholder=label, label_visibility="collapsed")
    if sweep_state.deleted_sweep is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("The sweep is deleted."))
            st.button(
                _("Undo"), key="sweep_undelete", type="tertiary", icon=":material/undo:", on_click=actions.undelete
            )
    for sweep in found[:limit]:
        with st.container(horizontal=True, wrap=False, gap="xsmall"):
            _open_button(sweep)
            if sweep.id == state.sweep_id:
                _menu(sweep)
    if len(found) > limit:
        st.button(_("More"), key="sweep_list_more", type="tertiary", icon=":material/expand_more:", on_click=_more)
    if words and not found:
        st.caption(_("No sweep has these words."))
    if live and not still:
        st.rerun(scope="app")  # drawn anew, it is not refreshed any more


def what_it_compares(sweep: Sweep) -> str:
    """How many models, temperatures, inputs, variants and answers of each, as a product; what there is one of is left
    out."""
    settings = 1
    for count in sweep.axes:
        settings *= count
    counts = [count for count in (*sweep.axes, sweep.total // max(1, settings)) if count > 1]
    return " × ".join(map(str, counts)) or "1"


def _open_button(sweep: Sweep) -> None:
    asked = sweep.total if sweep.asked is None else sweep.asked
    facts = [what_it_compares(sweep), f"{sweep.done}/{asked}"]
    if sweep.failed:
        facts.append(_n("{count} failed", "{count} failed", sweep.failed).format(count=sweep.failed))
    # Last, as what doesn't fit into the line is cut off.
    facts.append(short_date(sweep.created_at))
    st.button(
        LINES.format(literal(sweep.title) or _("Untitled"), " · ".join(facts)),
        key=f"sweep_open_{sweep.id}",
        type="secondary" if sweep.id == state.sweep_id else "tertiary",
        on_click=actions.open_sweep,
        args=(sweep.id,),
        width="stretch",
    )


def _menu(sweep: Sweep) -> None:
    words = _("Rename, use again or delete")
    with st.popover(words, icon=":material/more_vert:", key="sweep_menu", help=words):
        # Its own key for each sweep, so that it always begins with the present title.
        title = f"sweep_title_{sweep.id}"
        st.text_input(_("Title"), sweep.title, key=title, on_change=actions.rename, args=(sweep.id, title))
        st.button(
            _("Use this set-up again"),
            key="sweep_duplicate",
            icon=":material/content_copy:",
            on_click=actions.duplicate,
            args=(sweep.id,),
        )
        st.button(
            _("Delete"), key="sweep_menu_delete", icon=":material/delete:", on_click=actions.delete, args=(sweep.id,)
        )


def no_such_sweep() -> None:
    """Says that the address names a sweep that there is not."""
    with st.container(key="sweep_missing"):
        st.info(
            _("There is no such sweep here. It may have been deleted, or it is on another computer."),
            icon=":material/info:",
        )


def _more() -> None:
    sweep_state.listed_sweeps += LISTED

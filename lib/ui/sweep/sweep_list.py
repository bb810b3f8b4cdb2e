"""The sidebar's list of sweeps, by the day they began, with what they compared and how far they came: see
lib/ui/shared/history_list.py."""

from dataclasses import replace
from functools import partial
from math import prod

import streamlit as st

from lib.core.i18n import N_
from lib.services import Services
from lib.sweep import repository as sweeps
from lib.sweep import search
from lib.sweep.repository import Sweep
from lib.ui.shared.history_list import DELETE, RENAME, Entry, HistoryList, history_list
from lib.ui.shared.page_part import page_part
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions
from lib.ui.sweep.sweep_state import sweep_state

ACTIONS = {**RENAME, "again": ("content_copy", N_("Use this set-up again")), **DELETE}


def sweep_list(services: Services, visitor: Visitor) -> None:
    """New sweep, and the old ones, the newest first."""
    with st.sidebar:
        st.button(_("New sweep"), key="sweep_new", icon=":material/add:", on_click=actions.new, width="stretch")
        page_part(_list)(services, visitor, state.sweep_id)


def _list(services: Services, visitor: Visitor, drawn_for: str | None) -> None:
    if state.sweep_id != drawn_for:
        st.rerun(scope="app")  # a press in here runs only this part, and what is open stands outside of it
    # Asked before the counts are read: of what does not run any more they are the last ones.
    live = services.sweeps.under_way(visitor.owner)

    def entries(words: str, limit: int, offset: int) -> list[Entry]:
        listed = services.sweeps.listed(visitor.owner, words, limit, offset)
        ids = [sweep.id for sweep in listed]
        excerpts = services.store.read(lambda db: search.excerpts(db, visitor.owner, ids, words))
        return [replace(entry(sweep), excerpt=excerpts.get(sweep.id, "")) for sweep in listed]

    def entry(sweep: Sweep) -> Entry:
        look_again = partial(_standing, services, visitor, sweep, drawn_for) if sweep.id in live else None
        return replace(_entry(sweep), look_again=look_again)

    kind = HistoryList(
        page="sweep",
        open_id=state.sweep_id,
        search_key="sweep_list_search",
        search=_("Search all sweeps"),
        none_found=_("No sweep has these words."),
        actions=ACTIONS,
        entries=entries,
        times=lambda *of: services.store.read(lambda db: sweeps.times_of(db, visitor.owner, *of)),
        switch_to=actions.open_sweep,
        rename=actions.rename,
        do=lambda sweep_id, action: actions.delete(sweep_id) if action == "delete" else actions.duplicate(sweep_id),
    )
    history_list(kind, actions.undelete if sweep_state.deleted_sweep else None, _("The sweep is deleted."))


def _standing(services: Services, visitor: Visitor, sweep: Sweep, drawn_for: str | None) -> Entry:
    """A sweep that runs, with its counts of now."""
    # Drawn anew where a press here has opened it, and once nothing runs: then no line is refreshed any more.
    if state.sweep_id != drawn_for or not services.sweeps.under_way(visitor.owner):
        st.rerun(scope="app")
    return _entry(services.sweeps.counted(visitor.owner, sweep))


def _entry(sweep: Sweep) -> Entry:
    asked = sweep.total if sweep.asked is None else sweep.asked
    facts = [what_it_compares(sweep), f"{sweep.done}/{asked}"]
    if sweep.failed:
        facts.append(_n("{count} failed", "{count} failed", sweep.failed).format(count=sweep.failed))
    return Entry(sweep.id, sweep.title, sweep.created_at, about=" · ".join(facts))


def what_it_compares(sweep: Sweep) -> str:
    """How many models, temperatures, inputs, variants and answers of each, as a product; what there is one of is left
    out."""
    counts = [count for count in (*sweep.axes, sweep.total // max(1, prod(sweep.axes))) if count > 1]
    return " × ".join(map(str, counts)) or "1"


def no_such_sweep() -> None:
    """Says that the address names a sweep that there is not."""
    with st.container(key="sweep_missing"):
        st.info(
            _("There is no such sweep here. It may have been deleted, or it is on another computer."),
            icon=":material/info:",
        )

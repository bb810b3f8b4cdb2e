"""Shows the open sweep, refreshed each second while it runs."""

import streamlit as st

from lib.calls.records import CallRecord
from lib.services import Services
from lib.sweep import report
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell
from lib.sweep.repository import ToDo
from lib.sweep.scheduler import SweepRun
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions, grid

EVERY_SECONDS = 1.0


def sweep_view(services: Services, visitor: Visitor, sweep_id: str) -> None:
    """Progress, answers, overview; and what can be done with it."""
    cells = services.store.read(lambda db: sweeps.cells_of(db, visitor.owner, sweep_id))
    if not cells:
        return
    if services.sweeps.running(sweep_id) is not None:
        # Only this part runs each second; a rerun of the whole page would take the form out of the visitor's hands.
        st.fragment(_live, run_every=EVERY_SECONDS)(services, visitor, sweep_id, cells)
    else:
        _still(services, visitor, sweep_id, cells)


def _live(services: Services, visitor: Visitor, sweep_id: str, cells: list[Cell]) -> None:
    running = services.sweeps.running(sweep_id)
    results = services.store.read(lambda db: sweeps.results(db, visitor.owner, sweep_id))
    _answers(cells, results, running, None)
    if running is None:
        st.rerun()  # it ended: the page is drawn once more, without the fragment


def _still(services: Services, visitor: Visitor, sweep_id: str, cells: list[Cell]) -> None:
    results = services.store.read(lambda db: sweeps.results(db, visitor.owner, sweep_id))
    left = services.store.read(lambda db: sweeps.to_do(db, visitor.owner, sweep_id))
    # A fragment stands in a container, so this does too: each cell keeps its place when the sweep ends.
    with st.container():
        _answers(cells, results, None, left)
    grid.temperature_chart(cells, results)
    grid.overview(cells, results)
    with st.container(horizontal=True):
        st.download_button(
            _("CSV"),
            lambda: report.csv(cells, results),  # made on the click, not with every rerun
            file_name="tempera-sweep.csv",
            mime="text/csv",
            key="sweep_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button(
            _("Delete this sweep"),
            key="sweep_delete",
            type="tertiary",
            icon=":material/delete:",
            on_click=actions.delete,
            args=(sweep_id,),
        )


def _answers(cells: list[Cell], results: dict[str, CallRecord], running: SweepRun | None, left: ToDo | None) -> None:
    grid.progress(cells, results, running)
    with st.container():
        if left is not None and left.cells:
            _resume(left)
    grid.grid(cells, results, running)


def _resume(left: ToDo) -> None:
    """The press on this button is the consent to what it says."""
    label = _("Finish the missing {count}").format(count=len(left.cells))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(label, key="sweep_resume", type="primary", icon=":material/resume:", on_click=actions.resume)
        if left.may_be_billed_twice:
            twice = _n(
                "{count} of them was cut or stopped and may be billed twice.",
                "{count} of them were cut or stopped and may be billed twice.",
                left.may_be_billed_twice,
            )
            st.caption(twice.format(count=left.may_be_billed_twice))

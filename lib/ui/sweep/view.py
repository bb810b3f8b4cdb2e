"""Shows the open sweep; while it runs, how it stands is refreshed each second, and the answers with it."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.errors import BudgetReached
from lib.core.i18n import joined
from lib.services import Services
from lib.sweep import ratings, report
from lib.sweep.progress import Progress
from lib.sweep.ratings import Rating
from lib.sweep.run import SweepRun
from lib.ui.shared import budgets
from lib.ui.shared.frame import transient
from lib.ui.shared.page_part import page_part
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions, grid, hidden_names
from lib.ui.sweep.answers import answers, answers_since, model_names
from lib.ui.sweep.cell_dialog import cell_dialog
from lib.ui.sweep.chart_view import chart_view
from lib.ui.sweep.judge_view import judge_view
from lib.ui.sweep.open_study import open_study
from lib.ui.sweep.report_view import report_view
from lib.ui.sweep.run_line import held_back, what_is_left
from lib.ui.sweep.sweep_state import sweep_state
from lib.ui.sweep.verdict_line import verdict_line, verdict_so_far
from lib.ui.sweep.view_state import CHARTS, JUDGE, OF_ANSWERS, REPORT, remembered, view

NAME = "Tempera"
EVERY_SECONDS = 1.0
MANY = 1_000
"""With so many cells, in sight or not, it is refreshed every other second: each time takes longer."""


def sweep_view(services: Services, visitor: Visitor, sweep_id: str, running: bool) -> None:
    """Progress, verdict, answers; and what can be done with them. `running` is whether the sweep ran when the whole
    page was drawn: its fragments, which run again and again by themselves, go by that until the page is drawn anew."""
    # While it runs only this is drawn each second: what is looked for, and how, as often as somebody presses something
    # there. A rerun of the whole page would take the form out of the visitor's hands.
    # At the end it goes at once: what is drawn below tells the same, and it would stand there twice until the page is.
    with transient(running):
        if running:
            remembered.drawn_with_page = True
            again = _every(services.sweeps.progress.of(visitor.owner, sweep_id))
            page_part(_draw_progress, run_every=again)(services, visitor, sweep_id, running)
    # A fragment after the end too: moved out of one, the answers would be drawn anew, and lose their focus and scroll.
    page_part(_results)(services, visitor, sweep_id, running)
    if not running:
        _ended(services, visitor, sweep_id)
    if sweep_state.cell is not None:
        cell_dialog(services, services.sweeps.progress.of(visitor.owner, sweep_id))


def _every(progress: Progress) -> float:
    """Seconds from one refresh to the next."""
    return EVERY_SECONDS * (2 if len(progress.cells) > MANY else 1)


def _results(services: Services, visitor: Visitor, sweep_id: str, running: bool) -> None:
    run = services.sweeps.last_run(visitor.owner, sweep_id)
    progress = services.sweeps.progress.of(visitor.owner, sweep_id)
    if not progress.cells:
        return
    # Here after the end, as there is room in it for the verdict.
    with st.container():
        line = None if running else _progress_line(services, visitor, sweep_id, running)
    _answers(services, visitor, sweep_id, progress, line)
    _draw_page_anew(run, running)


def _draw_page_anew(run: SweepRun | None, running: bool) -> None:
    """Where the sweep has ended since the page was drawn, or was begun again by a button that runs its own part alone:
    the page is drawn anew, with what comes after the end, or to follow the sweep from now on."""
    if running != (run is not None and not run.finished):
        st.rerun()


def _ended(services: Services, visitor: Visitor, sweep_id: str) -> None:
    progress = services.sweeps.progress.of(visitor.owner, sweep_id)
    if not progress.cells:
        return
    cells, results = progress.cells, progress.results

    def rated() -> Mapping[str, Rating]:
        return services.store.read(lambda db: ratings.of_sweep(db, visitor.owner, sweep_id))

    with st.container(horizontal=True):
        st.download_button(
            _("CSV"),
            lambda: report.csv(cells, results, rated()),  # made on the click, not with every rerun
            file_name="tempera-sweep.csv",
            mime="text/csv",
            key="sweep_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.space("stretch")  # what is pressed by mistake stands far off
        st.button(
            _("Delete this sweep"),
            key="sweep_delete",
            type="tertiary",
            icon=":material/delete:",
            on_click=actions.delete,
            args=(sweep_id,),
        )


def _draw_progress(services: Services, visitor: Visitor, sweep_id: str, running: bool) -> None:
    _progress_line(services, visitor, sweep_id, running)


def _progress_line(services: Services, visitor: Visitor, sweep_id: str, running: bool) -> DeltaGenerator | None:
    """How far it is and what holds it back, and while it runs what has changed of the answers since. The line's
    container, None where the sweep has gone."""
    run = services.sweeps.last_run(visitor.owner, sweep_id)
    progress = services.sweeps.progress.of(visitor.owner, sweep_id)
    if not progress.cells:
        return None
    with st.container(gap=None):
        line = grid.progress(progress, run)
        if running:
            answers_since(progress, run, alone=not remembered.drawn_with_page)
            remembered.drawn_with_page = False
    _tab_title(sweep_id, progress, run)
    _told(services, visitor, progress, run)
    if running:
        _draw_page_anew(run, running)
    return line


def _told(services: Services, visitor: Visitor, progress: Progress, run: SweepRun | None) -> None:
    with st.container():
        if run is not None and not run.finished and services.sweeps.stays_here(visitor.owner, progress.cells):
            st.caption(_("With your own key this sweep runs on this server alone: no other machine is given the key."))
        if progress.unsaved:
            words = _n(
                "{count} of the answers is not saved yet; that is tried again until it is.",
                "{count} of the answers are not saved yet; that is tried again until they are.",
                progress.unsaved,
            )
            st.warning(words.format(count=progress.unsaved), icon=":material/save:")
        if run is not None and isinstance(run.trouble, BudgetReached):
            paused = _("The sweep has paused; what has come is kept.")
            st.warning(joined([budgets.reached_sentence(run.trouble), paused], _), icon=":material/pause_circle:")
        elif run is not None and run.trouble is not None:
            hidden_names.unnamed_error(run.trouble, progress)
        held_back(progress, run)


def _answers(
    services: Services, visitor: Visitor, sweep_id: str, progress: Progress, line: DeltaGenerator | None
) -> None:
    run = services.sweeps.last_run(visitor.owner, sweep_id)
    # Not each second while it runs: this part is drawn with the page, and when somebody presses something in it.
    study = None if hidden_names.hidden() else open_study()
    # Always there: the answers below it keep their place, and with it their focus and scroll.
    with st.container(key="sweep_summed_up", horizontal=True, vertical_alignment="center"):
        if study is not None and line is not None and (run is None or run.finished):
            verdict_line(study, line)
        elif study is not None:
            verdict_so_far(study)
        if line is not None:
            what_is_left(progress, run)
    answers(progress, run)
    if view() not in OF_ANSWERS:
        runs = run is not None and not run.finished
        of_all = page_part(_of_all, run_every=_every(progress)) if runs else _of_all
        of_all(services, visitor, sweep_id)


def _of_all(services: Services, visitor: Visitor, sweep_id: str) -> None:
    """The views that tell of all answers together, by the models' names."""
    study, progress = open_study(), services.sweeps.progress.of(visitor.owner, sweep_id)
    if study is None:
        return
    if hidden_names.hidden():
        hidden_names.instead()
    elif view() == CHARTS:
        chart_view(study)
        names = model_names(progress)
        st.caption(_("All measures, as means of the answers of a setting:"))
        grid.overview(progress.overview, {cell.model: names[cell.row] for cell in progress.cells})
    elif view() == JUDGE:
        judge_view(study)
    elif view() == REPORT:
        report_view(study)


def _tab_title(sweep_id: str, progress: Progress, run: SweepRun | None) -> None:
    """Set the title by how a sweep stands. One that was over before this tab saw it leaves the title as it is."""
    running = run is not None and not run.finished
    if running:
        sweep_state.seen_running = sweep_id
    elif sweep_state.seen_running != sweep_id:
        return
    done, failed, asked = progress.counts(run.failed if run else ())
    count = f"{done + failed}/{asked}"
    st.set_page_config(page_title=f"{count} · {NAME}" if running else f"{_('Done')} {count} · {NAME}")

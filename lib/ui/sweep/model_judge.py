"""A model that judges the answers by a rubric: asked about first, watched while it works, its stars in a table."""

from functools import partial

import pandas as pd
import streamlit as st

from lib.core.rich_text import literal
from lib.sweep import judge
from lib.sweep.judge import LONGEST_RUBRIC, RUBRIC, JudgeRun
from lib.sweep.plan import unique
from lib.sweep.study import Study
from lib.sweep.verdict import named
from lib.ui.shared import resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.figures import money
from lib.ui.shared.model_picker import model_label, options
from lib.ui.shared.page_part import page_part
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor
from lib.ui.sweep.judge_result import judge_result
from lib.ui.sweep.models import unlisted
from lib.ui.sweep.open_study import PAGE

MODEL, TEXT = "sweep_judge_model", "sweep_judge_rubric"
EVERY_SECONDS = 1.0


def model_judge(study: Study) -> None:
    """The stars that models gave, and the form that has one more asked."""
    for model in study.judged:
        _stars(study, model)
    run = _run()
    if run is not None and run.finished:
        judge_result(run)
    with st.expander(_("Let a model judge"), key="sweep_judge", expanded=run is not None):
        if run is not None and not run.finished:
            page_part(_progress, run_every=EVERY_SECONDS)()
            return
        _form(study)


def _run() -> JudgeRun | None:
    """The newest judge of the open sweep in this process."""
    found = resources.services().dispatcher.jobs.get(judge.job_id(str(state.sweep_id)))
    return found if isinstance(found, JudgeRun) and found.owner == visitor().owner else None


def _progress() -> None:
    run = _run()
    if run is None or run.finished:
        st.rerun()
        return
    words = _("{done} judged, {failed} failed, {total} in all").format(
        done=run.done, failed=run.failed, total=run.total
    )
    st.progress((run.done + run.failed) / max(1, run.total), text=words)
    st.button(_("Stop"), key="sweep_judge_stop", icon=":material/stop_circle:", on_click=run.cancel)


def _replace(_value: str, other: str) -> None:
    st.session_state[MODEL] = other


def _form(study: Study) -> None:
    services, who = resources.services(), visitor()
    typed = st.session_state.get(MODEL)
    known = unique([*options(services, who.owner), *([typed] if typed else [])])
    # Kept while the judge works and the form is not there.
    model = st.selectbox(
        _("Model"),
        known,
        index=None,
        format_func=model_label,
        key=choice_key(MODEL),
        accept_new_options=True,
        persist_state="session",
    )
    unlisted(services, who.owner, [model] if model else [], _replace, "sweep_judge_meant")
    st.session_state.setdefault(TEXT, _(RUBRIC))
    rubric = st.text_area(_("Rubric"), key=TEXT, max_chars=LONGEST_RUBRIC, height=90, persist_state="session")
    if not model or not (rubric or "").strip():
        st.caption(_("Choose a model. A model is no impartial judge: it likes its own answers, and long ones."))
        return
    some = judge.tasks(study, model, rubric)
    if not some:
        st.caption(_("This model has judged all answers."))
        return
    price = judge.cost(some, model, services.registry.endpoints(who.owner))
    calls = _n("{count} further call", "{count} further calls", len(some)).format(count=len(some))
    most = _("no price") if price is None else _("free") if price == 0 else ""
    most = most or _("at most {cost} at list prices").format(cost=money(price))
    st.caption(literal(f"{calls} · {most}"))
    label = _n("Have {count} answer judged", "Have {count} answers judged", len(some)).format(count=len(some))
    st.button(label, key="sweep_judge_start", icon=":material/gavel:", on_click=_start, args=(model, some))


def _start(model: str, some: list[judge.Task]) -> None:
    """The press is the consent to the calls."""
    services, who = resources.services(), visitor()
    running = _run()
    if running is not None and not running.finished:
        return
    run = JudgeRun(who.owner, who.session, str(state.sweep_id), model, some)
    with refusals_told(partial(_start, model, some)):
        judge.start(services.dispatcher, services.registry, run)


def _stars(study: Study, model: str) -> None:
    """What a model says of each setting, beside what the visitor says."""
    st.caption(literal(_("Stars by {model}").format(model=model)))
    rows = []
    for setting in study.settings:
        found = study.stars_of(model, setting)
        rows.append(
            {
                _("Setting"): named(setting, study.plan, PAGE),
                _("Your stars"): setting.stars.mean if setting.stars else None,
                _("Stars"): found.mean if found else None,
                _("Judged"): found.known if found else 0,
            }
        )
    columns = dict.fromkeys([_("Your stars"), _("Stars")], st.column_config.NumberColumn(format="%.1f"))
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder="–", column_config=columns)

"""The form of a sweep, and the line that says what pressing Run will do."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from lib.core.errors import InvalidInput, NotConnected, TemperaError
from lib.gateway.endpoints import Endpoint, find
from lib.practice.pace import USUAL_PER_MINUTE
from lib.services import Services
from lib.sweep.estimate import PlanEstimate, estimate
from lib.sweep.plan import MAX_CONCURRENCY, MAX_REPEATS, Plan, unique
from lib.ui.shared import controls, resources
from lib.ui.shared.connection import ask_for
from lib.ui.shared.figures import money
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_message, error_sentence
from lib.ui.shared.unsupported_params import ANY_MODEL
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.sweep import axis_picker, examples, input_table, large_run, models, temperatures
from lib.ui.sweep.look import begin_anew
from lib.ui.sweep.prior_conversation import fill_history, history, history_line

START = {"sweep_repeats": 2, "sweep_concurrency": 4, "sweep_max_tokens": 200}
KEPT: dict[str, Any] = {"persist_state": "session"}
KEYS = (
    *("sweep_prompt", "sweep_models", "sweep_temperatures", "sweep_repeats", "sweep_concurrency", "sweep_history"),
    *(*input_table.KEYS, *axis_picker.KEYS, temperatures.TYPED),
    *controls.keys("sweep", ("system", "max_tokens")),
)
"""Everything that is set in the form; the first are the names under which the first versions stored it."""
_UNTOUCHED = "sweep_form_untouched"
_ASIDE = "sweep_form_aside"


def sweep_form(services: Services, visitor: Visitor) -> None:
    """Prompt, inputs, models, temperatures, repeats; the rest under More options."""
    for key, value in {**START, temperatures.KEY: list(temperatures.START)}.items():
        st.session_state.setdefault(key, value)
    history_line()
    st.text_area(
        _("What should they write?"),
        key="sweep_prompt",
        height=90,
        placeholder=_(examples.EXAMPLES["creative"].prompt),
        **KEPT,
    )
    examples.examples()
    input_table.input_table(_texts())
    models.models_field(services, visitor)
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_settings"):
        temperatures.temperature_picker()
        st.number_input(_("Answers per setting"), 1, MAX_REPEATS, key="sweep_repeats", width=160, **KEPT)
    with st.expander(_("More options"), key="sweep_more", icon=":material/tune:"):
        _more()


def read_plan() -> Plan:
    """The plan as the form stands; raises InvalidInput with a sentence for what can't be run."""
    state = st.session_state
    state.setdefault("sweep_max_tokens_on", True)
    params = controls.read("sweep").model_copy(update={"stream": True})
    return Plan(
        prompt=state.get("sweep_prompt") or "",
        system=state.get("sweep_system") or "",
        models=unique(models.chosen()),
        temperatures=temperatures.temperatures(),
        repeats=state.get("sweep_repeats", 1),
        concurrency=state.get("sweep_concurrency", START["sweep_concurrency"]),
        params=params,
        history=history(),
        inputs=input_table.inputs(_texts()),
        axis=axis_picker.axis(),
    ).checked()


def fill(plan: Plan) -> None:
    """Let the form ask what `plan` asks."""
    session = st.session_state
    session["sweep_prompt"], session["sweep_system"] = plan.prompt, plan.system
    session["sweep_models"], session[temperatures.KEY] = list(plan.models), list(plan.temperatures)
    session[temperatures.TYPED] = ""
    session["sweep_repeats"], session["sweep_concurrency"] = plan.repeats, plan.concurrency
    session["sweep_max_tokens_on"] = plan.params.max_tokens is not None
    session["sweep_max_tokens"] = plan.params.max_tokens or START["sweep_max_tokens"]
    fill_history(plan.history)
    input_table.fill(plan.inputs)
    axis_picker.fill(plan.axis)
    session[_UNTOUCHED] = _snapshot()


def put_aside() -> None:
    """Keep the form as it stands for `bring_back`, where it was filled in by hand."""
    now = _snapshot()
    if now != st.session_state.get(_UNTOUCHED):
        st.session_state[_ASIDE] = now


def bring_back() -> None:
    """Let the form be as it was when it was put aside, if it was; once."""
    aside: dict[str, Any] | None = st.session_state.pop(_ASIDE, None)
    if aside is not None:
        input_table.forget_edits()
        for key in KEYS:
            st.session_state.pop(key, None)
        st.session_state.update(aside)


def _snapshot() -> dict[str, Any]:
    return {key: st.session_state[key] for key in KEYS if key in st.session_state}


def plan_line(services: Services, visitor: Visitor) -> None:
    """How many answers, how many input tokens, and about what cost; or what is missing."""
    try:
        plan = read_plan()
    except InvalidInput as missing:
        st.caption(error_message(missing))
        return
    endpoints = services.registry.endpoints(visitor.owner)
    found = estimate(plan, endpoints)
    line = _n(
        "{answers} answer, about {tokens:,} input tokens", "{answers} answers, about {tokens:,} input tokens", plan.size
    )
    counts = line.format(answers=found.answers, tokens=found.prompt_tokens)
    st.caption(" · ".join([counts, *_cost(found), _limit(plan)]))
    _practice_line(services, plan, endpoints)


def _limit(plan: Plan) -> str:
    """What ends an answer before the model does."""
    limits = {plan.params_of(None, variant).max_tokens for variant in range(plan.slices[1])}
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits):
        return _("no limit to their length")
    if len(known) > 1:
        return _("cut off after {least:,} to {most:,} tokens (max_tokens)").format(least=min(known), most=max(known))
    return _("cut off after {most:,} tokens (max_tokens)").format(most=known[0])


def _practice_line(services: Services, plan: Plan, endpoints: Sequence[Endpoint]) -> None:
    """How long the practice model takes for its part of a plan, where that is a minute or more."""
    if services.local is None or not endpoints:
        return
    local = [model for model in plan.models if find(model, endpoints)[0] is services.local]
    answers, measured = len(local) * plan.size // len(plan.models), services.local.pace.per_minute
    pace = measured or USUAL_PER_MINUTE
    minutes = round(answers / pace)
    if minutes < 1:
        return
    words = (
        _("The practice model gives about {pace} answers a minute on this computer: about {minutes} min.")
        if measured
        else _("The practice model usually gives about {pace} answers a minute: about {minutes} min.")
    )
    st.caption(words.format(pace=max(1, round(pace)), minutes=minutes))


def run_button(services: Services, visitor: Visitor) -> None:
    """Run, with how many answers it makes; for a large plan that was to be run, the question whether it shall be."""
    try:
        plan = read_plan()
    except InvalidInput:
        st.button(_("Run"), key="sweep_run", type="primary", icon=":material/play_arrow:", on_click=run)
        return
    label = _n("Run {count} answer", "Run {count} answers", plan.size).format(count=plan.size)
    held = st.session_state.get(large_run.HELD) == _snapshot()
    if held:
        st.warning(large_run.question(estimate(plan, services.registry.endpoints(visitor.owner))))
    # Another key: whoever presses twice has not read the question.
    key = "sweep_run_large" if held else "sweep_run"
    st.button(label, key=key, type="primary", icon=":material/play_arrow:", on_click=run, args=(held,))
    if held:
        st.button(_("Not yet"), key="sweep_not_yet", on_click=_let_go)


def run(confirmed: bool = False) -> None:
    """Store the plan and begin; when it can't be run, say why. A large one is asked about, unless `confirmed`."""
    who, services = visitor(), resources.services()
    try:
        plan = read_plan()
        if not confirmed and large_run.limits().asks(estimate(plan, services.registry.endpoints(who.owner))):
            st.session_state[large_run.HELD] = _snapshot()
            return
        state.sweep_id = services.sweeps.launch(who.owner, who.session, plan)
        st.session_state[_UNTOUCHED] = _snapshot()
    except NotConnected as missing:
        ask_for(services, who, missing, partial(run, confirmed))
    except TemperaError as error:
        state.notices.append(error_sentence(error))
    _let_go()
    begin_anew()


def _let_go() -> None:
    st.session_state.pop(large_run.HELD, None)


def _more() -> None:
    controls.system_prompt("sweep")
    st.session_state.setdefault("sweep_max_tokens_on", True)
    controls.number("sweep", "max_tokens", ANY_MODEL)
    axis_picker.axis_picker()
    st.number_input(_("Requests at the same time"), 1, MAX_CONCURRENCY, key="sweep_concurrency", width=220, **KEPT)
    large_run.limit_fields()


def _texts() -> tuple[str, ...]:
    """The texts of the form that may hold variables."""
    session = st.session_state
    return (session.get("sweep_prompt") or "", session.get("sweep_system") or "", *axis_picker.texts())


def _cost(found: PlanEstimate) -> list[str]:
    """The cost in words; models without a price are left out, and that is said."""
    if found.typical is None:
        return [_("no list price known")] if found.unpriced else []
    if found.typical == 0 and not found.unpriced:
        return [_("free")]
    parts = [_("about {cost} at list prices").format(cost=money(found.typical))]
    if found.highest is not None:
        parts[0] += " " + _("(at most {cost})").format(cost=money(found.highest))
    if found.unpriced:
        parts.append(_("{count} without a price, left out").format(count=found.unpriced))
    return parts

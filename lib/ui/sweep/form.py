"""The form of a sweep, and the line that says what pressing Run will do."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.core.errors import InvalidInput, NotConnected, TemperaError
from lib.core.i18n import N_
from lib.gateway.endpoints import Endpoint, find
from lib.practice.pace import USUAL_PER_MINUTE
from lib.services import Services
from lib.sweep.estimate import PlanEstimate, estimate
from lib.sweep.plan import MAX_CONCURRENCY, MAX_REPEATS, Plan, unique
from lib.ui.shared import controls, resources
from lib.ui.shared.connection import ask_for, local_services, open_dialog
from lib.ui.shared.figures import money
from lib.ui.shared.model_picker import first_for_chats, first_model, list_troubles, model_label, options
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_message, error_sentence
from lib.ui.shared.unsupported_params import ANY_MODEL
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.sweep.prior_conversation import history, history_line

READY_TEMPERATURES = (0.0, 0.3, 0.7, 1.0, 1.3, 1.6, 2.0)
START = {"sweep_temperatures": [0.0, 0.7, 1.3], "sweep_repeats": 2, "sweep_concurrency": 4, "sweep_max_tokens": 200}
KEPT: dict[str, Any] = {"persist_state": "session"}
EXAMPLES = (N_("Name a new flavour of ice cream and praise it in one sentence."),)


def sweep_form(services: Services, visitor: Visitor) -> None:
    """Prompt, models, temperatures, repeats; the rest under More options."""
    models = _known_models(services, visitor)
    first = first_model(services, visitor.owner) if state.newest_service else first_for_chats(models)
    for key, value in {**START, "sweep_models": [first] if first else []}.items():
        st.session_state.setdefault(key, value)
    history_line()
    st.text_area(_("What should they write?"), key="sweep_prompt", height=90, placeholder=_(EXAMPLES[0]), **KEPT)
    st.multiselect(
        _("Models"),
        models,
        format_func=model_label,
        key="sweep_models",
        accept_new_options=True,
        placeholder=_("Choose models or type their ids"),
        select_all=False,  # it stood first in the list, and one Enter took 217 models
        **KEPT,
    )
    list_troubles(services, visitor.owner, "sweep")
    local_services(services, visitor, "sweep")
    if len(models) == 1:
        st.button(
            _("Connect a service to compare several models"),
            key="sweep_connect",
            type="tertiary",
            icon=":material/add_link:",
            on_click=open_dialog,
        )
    st.multiselect(
        _("Creativity (temperature)"),
        _known_temperatures(),
        key="sweep_temperatures",
        accept_new_options=True,
        placeholder=_("Choose values or type one, 0 to 2"),
        select_all=False,
        help=_("0 is precise and nearly always the same, about 0.7 balanced, from 1 creative, above 1.5 wild."),
        **KEPT,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(_("Answers per setting"), 1, MAX_REPEATS, key="sweep_repeats", **KEPT)
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
        models=unique(state.get("sweep_models") or []),
        temperatures=unique([_number(value) for value in state.get("sweep_temperatures") or []]),
        repeats=state.get("sweep_repeats", 1),
        concurrency=state.get("sweep_concurrency", START["sweep_concurrency"]),
        params=params,
        history=history(),
    ).checked()


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
    st.caption(" · ".join([line.format(answers=found.answers, tokens=found.prompt_tokens), *_cost(found)]))
    _practice_line(services, plan, endpoints)


def _practice_line(services: Services, plan: Plan, endpoints: Sequence[Endpoint]) -> None:
    """How long the practice model takes for its part of a plan, where that is a minute or more."""
    if services.local is None or not endpoints:
        return
    models = [model for model in plan.models if find(model, endpoints)[0] is services.local]
    answers, measured = len(models) * len(plan.temperatures) * plan.repeats, services.local.pace.per_minute
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


def run_button() -> None:
    """Run, with how many answers it makes."""
    try:
        size = read_plan().size
        label = _n("Run {count} answer", "Run {count} answers", size).format(count=size)
    except InvalidInput:
        label = _("Run")
    st.button(label, key="sweep_run", type="primary", icon=":material/play_arrow:", on_click=run)


def run() -> None:
    """Store the plan and begin; when it can't be run, say why."""
    who = visitor()
    try:
        state.sweep_id = resources.services().sweeps.launch(who.owner, who.session, read_plan())
    except NotConnected as missing:
        ask_for(resources.services(), who, missing, run)
    except TemperaError as error:
        state.notices.append(error_sentence(error))
    st.session_state.pop("sweep_page", None)


def _more() -> None:
    controls.system_prompt("sweep")
    st.session_state.setdefault("sweep_max_tokens_on", True)
    controls.number("sweep", "max_tokens", ANY_MODEL)
    st.number_input(_("Requests at the same time"), 1, MAX_CONCURRENCY, key="sweep_concurrency", **KEPT)


def _known_models(services: Services, visitor: Visitor) -> list[str]:
    """All models of the connected endpoints, and those chosen that are none of them."""
    return list(unique([*options(services, visitor.owner), *(st.session_state.get("sweep_models") or [])]))


def _known_temperatures() -> list[Any]:
    return list(unique([*READY_TEMPERATURES, *(st.session_state.get("sweep_temperatures") or [])]))


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise InvalidInput(
            N_("“{value}” is not a temperature; it has to be a number from 0 to 2."), value=value
        ) from None


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

"""Chooses the models of a sweep, across all services: typed and picked in a field, or from the list of all of them."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from rapidfuzz import fuzz, process
from sqlalchemy import Connection

from lib.core.rich_text import literal
from lib.gateway.endpoints import find, model_value
from lib.services import Services
from lib.sweep.plan import unique
from lib.ui.shared import resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.connection import local_services, open_dialog
from lib.ui.shared.model_list import begin, model_list
from lib.ui.shared.model_picker import (
    QUICK_SECONDS,
    as_offered,
    first_for_chats,
    first_model,
    list_troubles,
    model_label,
    one_service,
    options,
    short_label,
)
from lib.ui.shared.refusals import stored
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.sweep.sweep_state import sweep_state
from lib.visitor.saved_items import LONGEST_NAME, MODEL_SETS

KEY = "sweep_models"
SET = "sweep_model_set"
SET_NAME = "sweep_model_set_name"
ALIKE = 60
"""How alike an id has to be to be meant, of 100."""


def models_field(services: Services, visitor: Visitor) -> None:
    """The field, a button for the list of all, and what there is to say of those chosen."""
    offered = options(services, visitor.owner)
    named = as_offered(chosen(), offered, services.registry.endpoints(visitor.owner))
    if named != chosen():
        st.session_state[KEY] = named
    models = list(unique([*offered, *named]))
    first = first_model(services, visitor.owner) if state.newest_service else first_for_chats(models)
    st.session_state.setdefault(KEY, [first] if first else [])
    names = [one.name for one in services.registry.endpoints(visitor.owner)]
    short = one_service(services, visitor.owner)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", wrap=False):
        st.multiselect(
            _("Models"),
            models,
            format_func=partial(short_label, names=names) if short else model_label,
            key=choice_key(KEY, "short" if short else ""),
            accept_new_options=True,
            placeholder=_("Choose models or type their ids"),
            select_all=False,  # it stood first in the list, and one Enter took 217 models
            persist_state="session",
        )
        words = _("All models by vendor, and sets of models")
        st.button(_("All models"), key="sweep_models_open", icon=":material/view_list:", help=words, on_click=_open)
    if sweep_state.choosing_models is not None:
        st.dialog(_("Models"), width="medium", on_dismiss=_close)(_body)(services, visitor)
    unlisted(services, visitor.owner, chosen(), _replace, "sweep_meant")
    list_troubles(services, visitor.owner, "sweep")
    local_services(services, visitor, "sweep")
    if len(models) == 1 and services.registry.own_services != "none":
        st.button(
            _("Connect a service to compare several models"),
            key="sweep_connect",
            type="tertiary",
            icon=":material/add_link:",
            on_click=open_dialog,
        )


def chosen() -> list[str]:
    """The models that are chosen, as `endpoint/model id`."""
    return list(st.session_state.get(KEY) or [])


def unlisted(
    services: Services, owner: str, values: Sequence[str], replace: Callable[[str, str], None], key: str
) -> None:
    """Of the chosen `values` that their services do not list: that, on one line, and of each which one may be meant;
    a press has it take the other's place. The buttons' keys begin with `key`."""
    endpoints = services.registry.endpoints(owner)
    unknown: list[tuple[str, str]] = []
    meant: list[tuple[str, str, str]] = []
    for value in values if endpoints else ():
        endpoint, model = find(value, endpoints)
        listing = services.models.get(owner, endpoint, QUICK_SECONDS)
        # Where the list is not the service's own of today, it tells nothing.
        if listing is None or not listing.complete or not listing.models or model in listing.models:
            continue
        unknown.append((model, endpoint.title))
        alike = _alike(model, listing.models)
        if alike:
            meant.append((value, model_value(endpoint, alike), alike))
    if not unknown:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(_not_listed(unknown), icon=":material/help:")
        for number, (value, instead, name) in enumerate(meant):
            label = _("Did you mean {model}?").format(model=literal(name))
            st.button(label, key=f"{key}_{number}", type="tertiary", on_click=replace, args=(value, instead))


def _not_listed(unknown: Sequence[tuple[str, str]]) -> str:
    """What is said of models that their services do not list, by the services' titles."""
    if len(unknown) == 1:
        model, service = unknown[0]
        words = _("“{model}” is not in the list of {service}.")
        return words.format(model=literal(model), service=literal(service))
    words = _("Not in the lists of their services: {models}.")
    return words.format(models=literal(_(", ").join(model for model, _service in unknown)))


def _alike(model: str, listed: Sequence[str]) -> str | None:
    found = process.extractOne(model, listed, scorer=fuzz.ratio, processor=str.lower, score_cutoff=ALIKE)
    return found[0] if found else None


def _replace(value: str, other: str) -> None:
    st.session_state[KEY] = list(unique([other if one == value else one for one in chosen()]))


def _body(services: Services, visitor: Visitor) -> None:
    ticked = sweep_state.choosing_models
    if ticked is None:
        st.rerun()
    _sets(services, visitor.owner, ticked)
    count = len(ticked)
    label = _n("Done, {count} model", "Done, {count} models", count).format(count=count)
    # Above the list, which is long: the way out stays in sight.
    st.button(label, key="sweep_models_done", type="primary", on_click=_close)
    model_list(services, visitor.owner, "sweep", _tick)


def _tick(value: str, label: str) -> None:
    # A set may have been chosen meanwhile: the tick says what is ticked now.
    st.session_state[f"sweep_tick_{value}"] = value in (sweep_state.choosing_models or ())
    st.checkbox(label, key=f"sweep_tick_{value}", on_change=_turn, args=(value,))


def _turn(value: str) -> None:
    ticked = sweep_state.choosing_models or []
    others = [one for one in ticked if one != value]
    sweep_state.choosing_models = others if value in ticked else [*others, value]


def _sets(services: Services, owner: str, ticked: Sequence[str]) -> None:
    """The visitor's sets of models, to be chosen; and what keeps or forgets one."""
    own = services.store.read(lambda db: MODEL_SETS.own(db, owner))
    if own:
        now = next((name for name, kept in own.items() if kept["models"] == ticked), None)
        st.session_state[SET] = now
        st.pills(_("Your sets"), list(own), format_func=literal, key=SET, on_change=_choose_set)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            _("Name of a set"),
            key=SET_NAME,
            max_chars=LONGEST_NAME,
            placeholder=_("Save these models as a set: its name"),
            label_visibility="collapsed",
        )
        st.button(_("Save"), key="sweep_set_keep", icon=":material/bookmark_add:", on_click=_keep, disabled=not ticked)
        if own and st.session_state[SET]:
            st.button(_("Forget this set"), key="sweep_set_forget", type="tertiary", on_click=_forget)


def _choose_set() -> None:
    name, owner = st.session_state.get(SET), visitor().owner
    found = resources.services().store.read(lambda db: MODEL_SETS.own(db, owner)).get(name or "")
    if found:
        sweep_state.choosing_models = list(found["models"])


def _keep() -> None:
    name, models = st.session_state.get(SET_NAME) or "", list(sweep_state.choosing_models or ())
    if _change(lambda db, owner: MODEL_SETS.save(db, owner, name, {"models": models})):
        st.session_state[SET_NAME] = ""


def _forget() -> None:
    name = str(st.session_state[SET])
    _change(lambda db, owner: MODEL_SETS.delete(db, owner, name))


def _change(work: Callable[[Connection, str], object]) -> bool:
    """Whether the store took it; why not is said at the top of the page, which is to be seen then."""
    if stored(work):
        return True
    _close()
    return False


def _open() -> None:
    sweep_state.choosing_models = chosen()
    begin("sweep")


def _close() -> None:
    """Let the field have what is ticked. Not with each tick: the browser tells with the next one what the field behind
    the list had before."""
    ticked = sweep_state.choosing_models
    if ticked is not None:
        st.session_state[KEY] = list(unique(ticked))
    sweep_state.choosing_models = None

"""The picker of a model among those of all connected services. Any typed id is taken too.

What is not for chats stands at the end, says so, and is never chosen by itself.
"""

from collections.abc import Collection, Sequence

import streamlit as st

from lib.core.errors import NoModelList, TemperaError
from lib.core.rich_text import literal
from lib.gateway.endpoints import EXAMPLE_MODELS, Endpoint, model_value, named, spelled
from lib.gateway.model_ids import makes_chats
from lib.gateway.model_lists import Listing
from lib.gateway.vendors import by_vendor
from lib.services import Services
from lib.ui.shared import closed_fields, resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence
from lib.ui.shared.visitor import visitor
from lib.visitor import favourites, preferences
from lib.visitor.favourites import Favourites

QUICK_SECONDS = 0.15
PATIENT_SECONDS = 4.0
PICKED = "picked_model"
"""The name of the preference that holds the model picked last by hand."""


def options(services: Services, owner: str) -> list[str]:
    """The models of all connected endpoints, as `endpoint/model id`: those starred, those used last before this visit,
    then the default endpoint's first, by vendor; those that are not for chats at the end."""
    endpoints = services.registry.endpoints(owner)
    return _in_order(_favourites(services, owner, endpoints), services, owner, endpoints)


def used(services: Services, owner: str, values: Sequence[str]) -> None:
    """Let the models that were asked be the ones used last; does not wait until that is written."""
    endpoints = services.registry.endpoints(owner)
    names = [named(value.strip(), endpoints) for value in values]
    before = services.store.read(lambda db: favourites.of(db, owner))
    if before.with_used(names) != before:
        # Read once more in the writer: another tab may have starred a model in between.
        services.store.write(lambda db: favourites.keep(db, owner, favourites.of(db, owner).with_used(names)))


def model_label(value: str) -> str:
    """A model as lists name it."""
    local = resources.services().local
    if local is not None and _is_of(local, value):
        return f"{value} · {_('practice model')}"
    return _field_label(value)


def one_service(services: Services, owner: str) -> bool:
    """Whether the name of a model's service tells nothing: there is no other, but for the practice model."""
    return len([one for one in services.registry.endpoints(owner) if one is not services.local]) < 2


def short_label(value: str, names: Collection[str]) -> str:
    """A model as lists name it where there is one service; `names` are those of services that are connected."""
    service = value.partition("/")[0]
    return model_label(value).removeprefix(f"{service}/") if service in names else model_label(value)


def _field_label(value: str) -> str:
    """A model as Chat's field names it. The page itself says of the practice model what it is, and on a phone the field
    has room for its name and nothing else."""
    return value if _for_chats(value) else f"{value} · {_('not for chats')}"


def as_offered(values: Sequence[str], offered: Sequence[str], endpoints: Sequence[Endpoint]) -> list[str]:
    """Chosen models, each once and as `offered` names it where it is there: what was typed, or came with a link, may be
    its id alone. What is not offered stays as it is."""
    full = [named(value, endpoints) for value in values] if endpoints else values
    return list(dict.fromkeys(name if name in offered else value for name, value in zip(full, values, strict=True)))


def first_for_chats(values: Sequence[str]) -> str | None:
    """The first that may be chosen without anybody having done so."""
    return next(filter(_for_chats, values), None)


def model_picker(services: Services, owner: str, key: str) -> str:
    """The chosen model, at first that of `first_model`."""
    choose_first(services, owner, key)
    models = options(services, owner)
    if st.session_state.get(key) is not None:
        [chosen] = as_offered([st.session_state[key]], models, services.registry.endpoints(owner))
        st.session_state[key] = chosen
        if chosen not in models:
            # Streamlit drops a value that is none of the options, and any typed id has to stay.
            models.append(chosen)
    value = st.selectbox(
        _("Model"),
        models,
        None,
        format_func=_field_label,
        key=choice_key(key),
        accept_new_options=True,
        required=True,  # else Escape, which closes the list, takes the chosen model away as well
        on_change=_picked,
        args=(key,),
        placeholder=_("Choose a model or type its id"),
        label_visibility="collapsed",
        persist_state="session",
    )
    return value or ""


def pick(key: str, value: str) -> None:
    """Choose a model by hand; a callback."""
    st.session_state[key] = value
    _picked(key)


def _picked(key: str) -> None:
    state.picked_model = st.session_state.get(key)
    _store_pick(resources.services(), visitor().owner, state.picked_model)


def _store_pick(services: Services, owner: str, value: str | None) -> None:
    """Let the tabs that are opened from now on begin with it; does not wait until that is written."""
    services.store.write(lambda db: preferences.put(db, owner, PICKED, value))


def choose_first(services: Services, owner: str, key: str) -> None:
    """Where no model is chosen, let it be that of `first_model`."""
    first = first_model(services, owner) if st.session_state.get(key) is None else None
    if first is not None:
        st.session_state[key] = first


def begin_with(services: Services, owner: str, endpoint: Endpoint) -> None:
    """Let both pages go on with a service that was connected just now; the sweep only where nothing was chosen yet, and
    a chat that has messages only where the service of its own model is not there."""
    state.newest_service, state.picked_model = endpoint.name, None
    _store_pick(services, owner, None)
    chosen = st.session_state.get("chat_model") or ""
    if state.chat_id is None or not any(_is_of(one, chosen) for one in services.registry.endpoints(owner)):
        # Not set, but forgotten: Streamlit refuses a value for a field that was drawn in the same run.
        st.session_state.pop("chat_model", None)
    practice = [model_value(services.local, model) for model in services.local.models] if services.local else []
    if st.session_state.get("sweep_models") in ([], practice):
        st.session_state.pop("sweep_models")


def forget(services: Services, owner: str, endpoint: Endpoint) -> None:
    """Let no choice keep a model of a service that was disconnected just now."""
    if state.newest_service == endpoint.name:
        state.newest_service = None
    connected = services.registry.endpoints(owner)
    if any(one.name == endpoint.name for one in connected):
        return  # the operator's, which has been there all the time
    if not connected or _is_of(endpoint, st.session_state.get("chat_model") or ""):
        st.session_state.pop("chat_model", None)
    beside, swept = closed_fields.values_of("chat_models_beside"), st.session_state.get("sweep_models") or []
    kept, kept_swept = ([one for one in some if connected and not _is_of(endpoint, one)] for some in (beside, swept))
    if kept != beside:
        closed_fields.put("chat_models_beside", kept)
    if kept_swept:
        st.session_state["sweep_models"] = kept_swept
    else:
        st.session_state.pop("sweep_models", None)


def first_model(services: Services, owner: str) -> str | None:
    """What a page begins with: the model picked last by hand, in this tab or before it, else, of the service connected
    in this tab, else of the default one, the model used last there, else its first one for chats."""
    endpoints = services.registry.endpoints(owner)
    if not endpoints:
        return None
    picked = state.picked_model or _stored_pick(services, owner)
    if any(_is_of(one, picked or "") for one in endpoints):
        return picked
    endpoint = next((one for one in endpoints if one.name == state.newest_service), endpoints[0])
    return _first(_favourites(services, owner, endpoints), endpoint, _listing(services, owner, endpoint))


def _stored_pick(services: Services, owner: str) -> str | None:
    kept = services.store.read(lambda db: preferences.get(db, owner, PICKED))
    return kept if isinstance(kept, str) else None


def list_troubles(services: Services, owner: str, prefix: str) -> None:
    """Say of each service that could not tell its models why; the buttons' keys begin with `prefix`."""
    for endpoint in services.registry.endpoints(owner):
        listing = _listing(services, owner, endpoint)
        if listing.trouble is not None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(_trouble(endpoint, listing.models, listing.trouble))
                if not isinstance(listing.trouble, NoModelList):
                    _ask_again(services, owner, endpoint, prefix)


def _trouble(endpoint: Endpoint, models: Sequence[str], why: TemperaError) -> str:
    """Why a service's models are not its own list of today."""
    words = _("The list of models of {service} could not be fetched: {why}")
    if models == EXAMPLE_MODELS:
        words = _("The models of {service} are only examples: {why}")
    return words.format(service=literal(endpoint.title), why=error_sentence(why))


def _ask_again(services: Services, owner: str, endpoint: Endpoint, prefix: str) -> None:
    st.button(
        _("Ask again"),
        key=f"{prefix}_ask_{endpoint.name}",
        type="tertiary",
        icon=":material/refresh:",
        on_click=services.models.forget,
        args=(owner, endpoint),
    )


def _is_of(endpoint: Endpoint, value: str) -> bool:
    return value.startswith(f"{endpoint.name}/")


def _for_chats(value: str) -> bool:
    # The service's name, a host perhaps, tells nothing of its models.
    return makes_chats(value.partition("/")[2] or value)


def _favourites(services: Services, owner: str, endpoints: Sequence[Endpoint]) -> Favourites:
    """Those starred and used last, of services that are connected."""
    names = {endpoint.name for endpoint in endpoints}
    return services.store.read(lambda db: favourites.of(db, owner)).of_endpoints(names)


def _in_order(known: Favourites, services: Services, owner: str, endpoints: Sequence[Endpoint]) -> list[str]:
    offered = [
        model_value(endpoint, model)
        for endpoint in endpoints
        for models in by_vendor(_listing(services, owner, endpoint).models).values()
        for model in models
    ]
    if state.recent_models is None:
        state.recent_models = tuple(services.store.read(lambda db: favourites.of(db, owner)).recent)
    recent = [value for value in state.recent_models if value in known.recent or value in offered]
    # What was used since comes last where no service lists it.
    values = [spelled(value, endpoints) for value in (*known.starred, *recent, *offered, *known.recent)]
    return sorted(dict.fromkeys(values), key=_for_chats, reverse=True)


def _first(known: Favourites, endpoint: Endpoint, listing: Listing) -> str | None:
    """What a new tab begins with; a service that lists no models is taken to offer still what was used there."""
    offered = [model_value(endpoint, model) for model in listing.models]
    used_here = known.of_endpoints({endpoint.name}).recent
    return first_for_chats([value for value in used_here if value in offered or not listing.complete] + offered)


def _listing(services: Services, owner: str, endpoint: Endpoint) -> Listing:
    # First without a spinner: one that flashes for a list that is there already makes every rerun flicker.
    listing = services.models.get(owner, endpoint, QUICK_SECONDS)
    if listing is None:
        with st.spinner(_("Asking {service} for its models…").format(service=literal(endpoint.title))):
            listing = services.models.get(owner, endpoint, PATIENT_SECONDS)
    return listing or Listing(EXAMPLE_MODELS, complete=False)

"""The picker of a model among those of all connected services. Any typed id is taken too."""

from collections.abc import Sequence

import streamlit as st

from lib.core.rich_text import literal
from lib.gateway.endpoints import EXAMPLE_MODELS, Endpoint, model_value, named
from lib.gateway.model_lists import Listing
from lib.gateway.vendors import by_vendor
from lib.services import Services
from lib.ui.shared.texts import _, error_sentence
from lib.visitor import favourites
from lib.visitor.favourites import Favourites

QUICK_SECONDS = 0.15
PATIENT_SECONDS = 4.0


def options(services: Services, owner: str) -> list[str]:
    """The models of all connected endpoints, as `endpoint/model id`: those starred, those used last, then the default
    endpoint's first, by vendor."""
    endpoints = services.registry.endpoints(owner)
    return _in_order(_kept(services, owner, endpoints), services, owner, endpoints)


def used(services: Services, owner: str, values: Sequence[str]) -> None:
    """Let the models that were asked be the ones used last; does not wait until that is written."""
    endpoints = services.registry.endpoints(owner)
    names = [named(value.strip(), endpoints) for value in values]
    before = services.store.read(lambda db: favourites.of(db, owner))
    if before.after(names) != before:
        # Read once more in the writer: another tab may have starred a model in between.
        services.store.write(lambda db: favourites.keep(db, owner, favourites.of(db, owner).after(names)))


def model_picker(services: Services, owner: str, key: str) -> str:
    """The chosen model; at first the one of the default endpoint that was used last there, else its first one."""
    endpoints = services.registry.endpoints(owner)
    kept = _kept(services, owner, endpoints)
    models = _in_order(kept, services, owner, endpoints)
    chosen = st.session_state.get(key)
    if chosen is None and endpoints:
        st.session_state[key] = _first(kept, endpoints[0], _listing(services, owner, endpoints[0]))
    elif chosen is not None and chosen not in models:
        # Streamlit drops a value that is none of the options, and any typed id has to stay.
        models.append(chosen)
    value = st.selectbox(
        _("Model"),
        models,
        key=key,
        accept_new_options=True,
        placeholder=_("Choose a model or type its id"),
        label_visibility="collapsed",
        persist_state="session",
    )
    list_troubles(services, owner)
    return value or ""


def list_troubles(services: Services, owner: str) -> None:
    """Say of each service that could not tell its models why."""
    for endpoint in services.registry.endpoints(owner):
        list_trouble(endpoint, _listing(services, owner, endpoint))


def list_trouble(endpoint: Endpoint, listing: Listing) -> None:
    """Why a service's models are only examples, where they are."""
    if listing.trouble is not None:
        words = _("The models of {service} are only examples: {why}")
        st.caption(words.format(service=literal(endpoint.title), why=error_sentence(listing.trouble)))


def _kept(services: Services, owner: str, endpoints: Sequence[Endpoint]) -> Favourites:
    """Those starred and used last, of services that are connected."""
    names = {endpoint.name for endpoint in endpoints}
    return services.store.read(lambda db: favourites.of(db, owner)).at(names)


def _in_order(kept: Favourites, services: Services, owner: str, endpoints: Sequence[Endpoint]) -> list[str]:
    offered = [
        model_value(endpoint, model)
        for endpoint in endpoints
        for models in by_vendor(_listing(services, owner, endpoint).models).values()
        for model in models
    ]
    return list(dict.fromkeys([*kept.starred, *kept.recent, *offered]))


def _first(kept: Favourites, endpoint: Endpoint, listing: Listing) -> str:
    """What a new tab begins with; a service that lists no models is taken to offer still what was used there."""
    offered = [model_value(endpoint, model) for model in listing.models]
    used_here = kept.at({endpoint.name}).recent
    return next((value for value in used_here if value in offered or not listing.complete), offered[0])


def _listing(services: Services, owner: str, endpoint: Endpoint) -> Listing:
    # First without a spinner: one that flashes for a list that is there already makes every rerun flicker.
    listing = services.models.get(owner, endpoint, QUICK_SECONDS)
    if listing is None:
        with st.spinner(_("Asking {service} for its models…").format(service=literal(endpoint.title))):
            listing = services.models.get(owner, endpoint, PATIENT_SECONDS)
    return listing or Listing(EXAMPLE_MODELS, complete=False)

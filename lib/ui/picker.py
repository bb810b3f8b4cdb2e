"""Choosing a model among those of all connected services; any typed id is taken too."""

from collections.abc import Sequence

import streamlit as st

from lib import favourites
from lib.catalogue import EXAMPLE_MODELS, Endpoint, model_value, named
from lib.house import House
from lib.model_lists import Listing
from lib.ui.texts import _
from lib.vendors import by_vendor

QUICK_SECONDS = 0.15
PATIENT_SECONDS = 4.0


def options(house: House, owner: str) -> list[str]:
    """The models of all connected endpoints, as `endpoint/model id`: those starred, those used last, then the default
    endpoint's first, by vendor."""
    endpoints = list(house.connections.endpoints(owner))
    return list(dict.fromkeys([*_preferred(house, owner, endpoints), *listed(house, owner, endpoints)]))


def listed(house: House, owner: str, endpoints: Sequence[Endpoint]) -> list[str]:
    """What `endpoints` offer, as `endpoint/model id`, by vendor."""
    return [
        model_value(endpoint, model)
        for endpoint in endpoints
        for models in by_vendor(list(_listing(house, owner, endpoint).models)).values()
        for model in models
    ]


def used(house: House, owner: str, values: Sequence[str]) -> None:
    """Let the models that were asked be the ones used last."""
    endpoints = list(house.connections.endpoints(owner))
    before = house.store.read(lambda db: favourites.of(db, owner))
    after = before.after(named(value, endpoints) for value in values)
    if after != before:
        house.store.write(lambda db: favourites.keep(db, owner, after))


def _preferred(house: House, owner: str, endpoints: Sequence[Endpoint]) -> list[str]:
    """Those starred and used last, of services that are connected."""
    kept = house.store.read(lambda db: favourites.of(db, owner))
    names = {endpoint.name for endpoint in endpoints}
    return [value for value in (*kept.starred, *kept.recent) if value.partition("/")[0] in names]


def model_picker(house: House, owner: str, key: str) -> str:
    """The chosen model; at first one that is starred or was used, else the first one of the default endpoint."""
    models = options(house, owner)
    chosen = st.session_state.get(key)
    if chosen is None and models:
        st.session_state[key] = models[0]
    elif chosen is not None and chosen not in models:
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
    return value or ""


def _listing(house: House, owner: str, endpoint: Endpoint) -> Listing:
    listing = house.models.get(owner, endpoint, QUICK_SECONDS)
    if listing is None:
        with st.spinner(_("Asking {service} for its models…").format(service=endpoint.title)):
            listing = house.models.get(owner, endpoint, PATIENT_SECONDS)
    return listing or Listing(EXAMPLE_MODELS, complete=False)

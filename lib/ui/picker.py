"""Choosing a model among those of all connected services; any typed id is taken too."""

import streamlit as st

from lib.catalogue import EXAMPLE_MODELS, Endpoint, model_value
from lib.house import House
from lib.model_lists import Listing
from lib.ui.texts import _

QUICK_SECONDS = 0.15
PATIENT_SECONDS = 4.0


def options(house: House, owner: str) -> list[str]:
    """The models of all connected endpoints, as `endpoint/model id`, the default endpoint's first."""
    found = [
        model_value(endpoint, model)
        for endpoint in house.connections.endpoints(owner)
        for model in _listing(house, owner, endpoint).models
    ]
    return list(dict.fromkeys(found))


def model_picker(house: House, owner: str, key: str) -> str:
    """The chosen model; the first one of the default endpoint at first."""
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

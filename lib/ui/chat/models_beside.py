"""Chooses further models that get the same message, their answers in columns."""

from collections.abc import Sequence

import streamlit as st

from lib.chat.form import MOST_BESIDE
from lib.gateway.endpoints import Endpoint
from lib.services import Services
from lib.ui.chat.chat_settings import BESIDE, MODEL
from lib.ui.shared import closed_fields
from lib.ui.shared.choices import choice_key
from lib.ui.shared.connection import open_dialog
from lib.ui.shared.model_picker import as_offered, model_label, options
from lib.ui.shared.texts import _, _n


def models_beside(services: Services, owner: str) -> None:
    """Behind a button the models that answer beside the first one."""
    offered = options(services, owner)
    chosen = _chosen(offered, services.registry.endpoints(owner))
    models = [model for model in offered if model != st.session_state.get(MODEL)]
    asked = len(chosen) + 1
    label = _n("{count} model", "{count} models", asked).format(count=asked) if chosen else _("Compare")
    icon = ":material/view_column:" if chosen else ":material/add:"
    opened = st.popover(label, key="chat_beside_open", icon=icon, help=_("Ask further models too"))
    further = MOST_BESIDE - 1
    with opened:
        st.multiselect(
            _("Ask these models the same, side by side"),
            list(dict.fromkeys([*models, *chosen])),
            format_func=model_label,
            key=choice_key(closed_fields.key_of(BESIDE)),
            max_selections=further,
            accept_new_options=True,
            placeholder=_n("Up to {count} more model", "Up to {count} more models", further).format(count=further),
            select_all=False,
            persist_state="session",
        )
        if not models and not chosen and services.registry.own_services != "none":
            st.button(
                _("Connect a service to compare several models"),
                key="chat_beside_connect",
                type="tertiary",
                icon=":material/add_link:",
                on_click=open_dialog,
            )
        if chosen and (st.session_state.get("chat_n_on") and st.session_state.get("chat_n", 1) > 1):
            st.caption(_("“n” is not sent while several models answer."))


def _chosen(offered: Sequence[str], endpoints: Sequence[Endpoint]) -> list[str]:
    """The further models, without the first one if it was typed once more."""
    values, first = closed_fields.values_of(BESIDE), st.session_state.get(MODEL)
    chosen = [value for value in as_offered(values, offered, endpoints) if value != first]
    if chosen != values:
        st.session_state[closed_fields.key_of(BESIDE)] = chosen
    return chosen

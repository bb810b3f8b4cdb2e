"""What is connected, at the top of the connection's dialog, and how it is forgotten."""

import streamlit as st

from lib.core.i18n import joined
from lib.core.rich_text import literal
from lib.gateway.endpoints import Endpoint
from lib.gateway.key_masking import last_four
from lib.services import Services
from lib.ui.shared import model_picker
from lib.ui.shared.connection_form import change_key, remember
from lib.ui.shared.state import Connecting
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.visitor import keychain, known_services


def connected_services(services: Services, visitor: Visitor, dialog: Connecting) -> None:
    """Each service with its address and whose key it has; one's own can be given another key, or forgotten."""
    connected = [one for one in services.registry.endpoints(visitor.owner) if one is not services.local]
    own = {endpoint.name for endpoint in services.registry.own(visitor.owner)}
    remembered = services.store.read(lambda db: keychain.remembered(db, visitor.owner)) if own else []
    if dialog.forgotten:
        st.success(_forgotten(dialog.forgotten, model_picker.first_model(services, visitor.owner)))
    for endpoint in connected:
        row = st.container(
            key=f"connection_to_{endpoint.name}", border=True, horizontal=True, vertical_alignment="center"
        )
        with row:
            with st.container(gap=None):
                st.markdown(_("**{service}** is connected").format(service=literal(endpoint.title)))
                whose = _whose_key(endpoint, endpoint.name in own, endpoint.base_url in remembered)
                st.caption(f"{literal(endpoint.base_url)} · {whose}")
            if endpoint.name in own:
                st.button(
                    _("Change key"),
                    key=f"connection_change_{endpoint.name}",
                    on_click=change_key,
                    args=(dialog, endpoint),
                )
                st.button(
                    _("Forget"),
                    key=f"connection_forget_{endpoint.name}",
                    on_click=_forget,
                    args=(services, visitor, dialog, endpoint),
                )
    if dialog.changing in own:
        title = next(literal(one.title) for one in connected if one.name == dialog.changing)
        st.markdown(f"**{_('A new key for {service}').format(service=title)}**")
    elif connected and services.registry.own_services != "none":
        st.markdown(f"**{_('Connect another one')}**")


def _whose_key(endpoint: Endpoint, own: bool, remembered: bool) -> str:
    if not own:
        return _("set by whoever runs this Tempera")
    if not endpoint.api_key.get_secret_value():
        return _("without a key")
    words = _("your key {key}, remembered on this computer") if remembered else _("your key {key}")
    return words.format(key=literal(last_four(endpoint.api_key.get_secret_value())))


def _forgotten(service: str, model: str | None) -> str:
    words = _("{service} is forgotten, and your key with it.").format(service=literal(service))
    return joined([words, _("From now on {model} answers.").format(model=literal(model))], _) if model else words


def _forget(services: Services, visitor: Visitor, dialog: Connecting, endpoint: Endpoint) -> None:
    services.registry.disconnect(visitor.owner, endpoint.name)
    services.models.forget(visitor.owner, endpoint)
    remember(services, visitor, endpoint, wanted=False)
    model_picker.forget(services, visitor.owner, endpoint)
    services.store.write(lambda db: known_services.forget(db, visitor.owner, endpoint.name)).result()
    st.session_state.pop("connection_base_url", None)
    dialog.forgotten, dialog.page_is_behind = endpoint.title, True

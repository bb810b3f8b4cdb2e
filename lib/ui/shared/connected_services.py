"""What is connected, at the top of the connection's dialog, and how it is forgotten."""

from collections.abc import Callable

import streamlit as st

from lib.core.errors import KeychainRefused
from lib.core.rich_text import literal
from lib.gateway.endpoints import Endpoint
from lib.gateway.key_masking import last_four
from lib.services import Services
from lib.ui.shared import model_picker
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence
from lib.ui.shared.visitor import Visitor
from lib.visitor import keychain, known_services


def connected_services(services: Services, visitor: Visitor, change_key: Callable[[Endpoint], None]) -> None:
    """Each service with its address and whose key it has; one's own can be given another key, or forgotten."""
    connected = [one for one in services.registry.endpoints(visitor.owner) if one is not services.local]
    own = {endpoint.name for endpoint in services.registry.own(visitor.owner)}
    remembered = services.store.read(lambda db: keychain.remembered(db, visitor.owner)) if own else []
    if state.forgotten:
        st.success(_forgotten(model_picker.first_model(services, visitor.owner)))
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
                    args=(endpoint,),
                )
                st.button(
                    _("Forget"),
                    key=f"connection_forget_{endpoint.name}",
                    on_click=_forget,
                    args=(services, visitor, endpoint),
                )
    if state.changing in own:
        title = next(literal(one.title) for one in connected if one.name == state.changing)
        st.markdown(f"**{_('A new key for {service}').format(service=title)}**")
    elif connected and services.registry.own_services != "none":
        st.markdown(f"**{_('Connect another one')}**")


def remember(services: Services, visitor: Visitor, endpoint: Endpoint, wanted: bool) -> None:
    """Put the key into the keychain where that is asked for; else take out what is there from an earlier time."""
    address, key = endpoint.base_url, endpoint.api_key
    wanted = wanted and bool(key.get_secret_value())
    if not wanted and address not in services.store.read(lambda db: keychain.remembered(db, visitor.owner)):
        return
    try:
        services.keychain.keep(address, key) if wanted else services.keychain.forget(address)
    except KeychainRefused as refused:
        state.notices.append(error_sentence(refused))
        wanted = False
    services.store.write(lambda db: keychain.note(db, visitor.owner, address, wanted)).result()


def _whose_key(endpoint: Endpoint, own: bool, remembered: bool) -> str:
    if not own:
        return _("set by whoever runs this Tempera")
    if not endpoint.api_key.get_secret_value():
        return _("without a key")
    words = _("your key {key}, remembered on this computer") if remembered else _("your key {key}")
    return words.format(key=literal(last_four(endpoint.api_key.get_secret_value())))


def _forgotten(model: str | None) -> str:
    words = _("{service} is forgotten, and your key with it.").format(service=literal(state.forgotten or ""))
    return words + " " + _("From now on {model} answers.").format(model=literal(model)) if model else words


def _forget(services: Services, visitor: Visitor, endpoint: Endpoint) -> None:
    services.registry.disconnect(visitor.owner, endpoint.name)
    services.models.forget(visitor.owner, endpoint)
    remember(services, visitor, endpoint, wanted=False)
    model_picker.forget(services, visitor.owner, endpoint)
    services.store.write(lambda db: known_services.forgotten(db, visitor.owner, endpoint.name)).result()
    st.session_state.pop("connection_base_url", None)
    state.forgotten, state.forgot = endpoint.title, True

"""The connection button and its dialog: the one place for services and keys."""

from collections.abc import Callable

import streamlit as st

from lib.core.errors import TemperaError
from lib.core.rich_text import literal
from lib.gateway.connecting import Found
from lib.gateway.endpoints import SERVICES
from lib.services import Services
from lib.ui.shared import connection_form, model_picker
from lib.ui.shared.connected_services import connected_services
from lib.ui.shared.state import Connecting, state
from lib.ui.shared.texts import _, _n, error_sentence
from lib.ui.shared.visitor import Visitor
from lib.visitor import known_services

SHORTCUT = "Mod+K"


def connection_button(services: Services, visitor: Visitor) -> None:
    """Says which service answers by default and opens the dialog."""
    if state.going_on is not None:
        go_on, state.going_on = state.going_on, None
        model_picker.choose_first(services, visitor.owner, "chat_model")  # what goes on asks before the picker is drawn
        go_on()
        st.rerun()
    connected = services.registry.endpoints(visitor.owner)
    own = [endpoint for endpoint in connected if endpoint is not services.local]
    may_connect = services.registry.own_services != "none"
    label = literal(own[0].title) if own else _("Connect a service") if may_connect else _("Services")
    icon = ":material/link:" if own else ":material/add_link:"
    why = _("Connects services and looks after their keys, on every page") if may_connect else None
    st.button(label, key="connection_open", icon=icon, help=why, on_click=open_dialog, shortcut=SHORTCUT)
    if state.connecting is not None:
        title = _("Services") if own or not may_connect else _("Connect a service")
        st.dialog(title, on_dismiss=state.close_dialogs)(_body)(services, visitor)


def open_dialog() -> None:
    """Open the dialog in place of any other; a callback for buttons, and for its keys, which work in dialogs too."""
    if state.connecting is None:
        _open(Connecting())


def _open(dialog: Connecting) -> None:
    state.connecting = dialog
    state.field_turns.pop(connection_form.SERVICE, None)


def ask_for(services: Services, visitor: Visitor, gone: TemperaError, then: Callable[[], None]) -> None:
    """Open the dialog for a service that is not there, its address filled in where it is known; `then` is what goes on
    once it is connected, or any where `gone` names none."""
    name = str(gone.facts.get("service", ""))
    address = services.store.read(lambda db: known_services.addresses(db, visitor.owner)).get(name, "")
    _open(Connecting(error_sentence(gone), (name, then)))
    state.page_is_due = True
    if name:
        connection_form.begin_with(SERVICES[name][1] if name in SERVICES else address)


def local_services(services: Services, visitor: Visitor, prefix: str) -> None:
    """A button for each service that runs on this computer and is not connected; their keys begin with `prefix`."""
    for found in services.local_services.besides(services.registry.endpoints(visitor.owner)):
        words = _n("{service} with {count} model: use it", "{service} with {count} models: use it", len(found.models))
        st.button(
            words.format(service=literal(found.endpoint.title), count=len(found.models)),
            key=f"{prefix}_found_{found.endpoint.name}",
            icon=":material/computer:",
            on_click=connection_form.use_found,
            args=(services, visitor, Found(found.endpoint, found.models)),
        )


def _body(services: Services, visitor: Visitor) -> None:
    dialog = state.connecting
    if dialog is None or dialog.page_is_behind:
        if dialog is not None:
            dialog.page_is_behind = False
        model_picker.choose_first(services, visitor.owner, "chat_model")  # the conversation is drawn before the picker
        st.rerun()  # a dialog's own run draws nothing outside of it, and the button and the models have changed
    if dialog.why:
        st.warning(dialog.why, icon=":material/link_off:")
    connected_services(services, visitor, dialog)
    if services.registry.own_services == "none":
        st.caption(_("Whoever runs this Tempera has set the services that can be used; others can't be connected."))
        return
    local_services(services, visitor, "connection")
    connection_form.connection_form(services, visitor, dialog)

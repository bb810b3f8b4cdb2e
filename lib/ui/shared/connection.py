"""The connection button and its dialog: the one place for services and keys."""

from typing import Literal

import streamlit as st

from lib.core.errors import InvalidInput, NoModelList, TemperaError
from lib.core.rich_text import literal
from lib.gateway.endpoint_registry import typed_endpoint
from lib.gateway.endpoints import SERVICES, Endpoint
from lib.services import Services
from lib.ui.shared.error_box import error_box
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, language
from lib.ui.shared.visitor import Visitor

TEST_SECONDS = 20.0
CUSTOM = "custom"


def connection_button(services: Services, visitor: Visitor) -> None:
    """Says which service answers by default and opens the dialog."""
    connected = services.registry.endpoints(visitor.owner)
    own = [endpoint for endpoint in connected if endpoint is not services.local]
    label = own[0].title if own else _("Connect a service")
    icon = ":material/link:" if own else ":material/add_link:"
    # The practice model knows little but English.
    kind: Literal["primary", "secondary"] = "primary" if not own and language() != "en" else "secondary"
    st.button(label, key="connection_open", icon=icon, on_click=open_dialog, type=kind, width="stretch")
    if state.connecting:
        st.dialog(_("Connect a service"), on_dismiss=_close)(_body)(services, visitor)


def open_dialog() -> None:
    """Open the dialog; a callback for buttons."""
    state.connecting = True


def _close() -> None:
    state.connecting = False
    st.session_state.pop("connection_test", None)


def _body(services: Services, visitor: Visitor) -> None:
    st.selectbox(
        _("Service"),
        [*SERVICES, CUSTOM],
        format_func=lambda name: SERVICES[name][0] if name in SERVICES else _("Another address"),
        key="connection_service",
        on_change=_fill_address,
    )
    st.session_state.setdefault("connection_base_url", SERVICES["apiyi"][1])
    st.text_input(_("Address (base URL)"), key="connection_base_url", placeholder="https://api.example.com/v1")
    st.text_input(
        _("Key"),
        key="connection_key",
        type="password",
        autocomplete="off",
        placeholder="sk-…",
        help=_("The key stays in this server's memory; it is not saved and never leaves for another address."),
    )
    # The test itself runs in the dialog's body, not in the callback: a callback can draw neither spinner nor error.
    st.button(_("Connect"), key="connection_save", type="primary", on_click=_ask_for_test, width="stretch")
    if st.session_state.pop("connection_test", False):
        _test(services, visitor)
    _connected_services(services, visitor)


def _fill_address() -> None:
    name = st.session_state["connection_service"]
    st.session_state["connection_base_url"] = SERVICES[name][1] if name in SERVICES else ""


def _ask_for_test() -> None:
    st.session_state["connection_test"] = True


def _test(services: Services, visitor: Visitor) -> None:
    """Try the service's model list, and connect when it answers or has none; say what is wrong otherwise."""
    try:
        endpoint = typed_endpoint(st.session_state["connection_base_url"], st.session_state["connection_key"])
        with st.spinner(_("Asking {service} for its models…").format(service=literal(endpoint.title))):
            count = len(services.dispatcher.jobs.call(services.dispatcher.client.models(endpoint), TEST_SECONDS))
        notice = _n("{service} is connected: {count} model.", "{service} is connected: {count} models.", count)
        notice = notice.format(service=literal(endpoint.title), count=count)
    except NoModelList:
        notice = _("{service} is connected. It has no list of models: type the model's id.").format(
            service=literal(endpoint.title)
        )
    except TimeoutError:
        error_box(
            InvalidInput(
                _("{service} gave no answer within {seconds:.0f} seconds."),
                service=endpoint.title,
                seconds=TEST_SECONDS,
            )
        )
        return
    except TemperaError as wrong:
        error_box(wrong)
        return
    _connect(services, visitor, endpoint)
    state.notices.append(notice)
    _close()
    st.rerun()


def _connect(services: Services, visitor: Visitor, endpoint: Endpoint) -> None:
    services.registry.connect(visitor.owner, endpoint)
    services.models.forget(visitor.owner, endpoint)  # another key may see other models
    st.session_state.pop("chat_model", None)


def _connected_services(services: Services, visitor: Visitor) -> None:
    for endpoint in services.registry.own(visitor.owner):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.caption(literal(endpoint.base_url))
        right.button(
            _("Forget"),
            key=f"connection_forget_{endpoint.name}",
            on_click=services.registry.disconnect,
            args=(visitor.owner, endpoint.name),
        )

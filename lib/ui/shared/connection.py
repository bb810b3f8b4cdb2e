"""The connection button and its dialog: the one place for services and keys."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from lib.core.errors import InvalidInput, TemperaError
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.gateway.connecting import Found, better_address, find_service
from lib.gateway.endpoint_registry import typed_endpoint
from lib.gateway.endpoints import KEY_PAGES, SERVICES, Endpoint
from lib.services import Services
from lib.ui.shared import model_picker
from lib.ui.shared.error_box import error_box
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_sentence, language
from lib.ui.shared.visitor import Visitor
from lib.visitor import keychain, known_services

TEST_SECONDS = 20.0
CUSTOM = "custom"
SHORTCUT = "Mod+K"


def connection_button(services: Services, visitor: Visitor) -> None:
    """Says which service answers by default and opens the dialog."""
    if state.going_on is not None:
        go_on, state.going_on = state.going_on, None
        go_on()
        st.rerun()
    connected = services.registry.endpoints(visitor.owner)
    own = [endpoint for endpoint in connected if endpoint is not services.local]
    label = literal(own[0].title) if own else _("Connect a service")
    icon = ":material/link:" if own else ":material/add_link:"
    # The practice model knows little but English.
    kind: Literal["primary", "secondary"] = "primary" if not own and language() != "en" else "secondary"
    st.button(
        label,
        key="connection_open",
        icon=icon,
        on_click=open_dialog,
        type=kind,
        shortcut=SHORTCUT,
    )
    if state.connecting:
        st.dialog(_("Connect a service"), on_dismiss=_close)(_body)(services, visitor)


def open_dialog() -> None:
    """Open the dialog in place of any other; a callback for buttons, and for its keys, which work in dialogs too."""
    state.close_dialogs()
    state.connecting = True


def ask_for(services: Services, visitor: Visitor, gone: TemperaError, then: Callable[[], None]) -> None:
    """Open the dialog for a service that is not connected any more, its address filled in where it is known; `then` is
    what goes on once it is connected."""
    name = str(gone.facts.get("service", ""))
    address = services.store.read(lambda db: known_services.addresses(db, visitor.owner)).get(name, "")
    _begin_with(SERVICES[name][1] if name in SERVICES else address)
    state.connecting, state.why_connecting, state.after_connecting = True, error_sentence(gone), (name, then)


def local_services(services: Services, visitor: Visitor, place: str) -> None:
    """A button for each service that runs on this computer and is not connected; `place` keeps two places apart."""
    for found in services.local_services.besides(services.registry.endpoints(visitor.owner)):
        words = _n("{service} with {count} model: use it", "{service} with {count} models: use it", len(found.models))
        st.button(
            words.format(service=literal(found.endpoint.title), count=len(found.models)),
            key=f"{place}_found_{found.endpoint.name}",
            icon=":material/computer:",
            on_click=_use_found,
            args=(services, visitor, Found(found.endpoint, found.models)),
        )


def _use_found(services: Services, visitor: Visitor, found: Found) -> None:
    _connect(services, visitor, found)
    state.notices.append(_is_connected(found))
    state.connected += 1
    _close()


def _close() -> None:
    state.connecting, state.why_connecting, state.after_connecting = False, None, None
    st.session_state.pop("connection_test", None)


def _body(services: Services, visitor: Visitor) -> None:
    if "connection_service" not in st.session_state:
        _begin_with(_likely_address(services, visitor))
    if state.why_connecting:
        st.warning(state.why_connecting, icon=":material/link_off:")
    local_services(services, visitor, "connection")
    st.selectbox(
        _("Service"),
        [*SERVICES, CUSTOM],
        format_func=lambda name: SERVICES[name][0] if name in SERVICES else _("Another address"),
        key="connection_service",
        on_change=_fill_address,
    )
    _fields(services)
    service = st.session_state["connection_service"]
    if service in KEY_PAGES:
        st.caption(_("Where to get a key: {page}").format(page=KEY_PAGES[service]))
    if st.session_state.pop("connection_test", False):
        _test(services, visitor)
    _connected_services(services, visitor)


def _likely_address(services: Services, visitor: Visitor) -> str:
    """Where a key is probably for: the operator's service that has none, else the one connected before a restart."""
    connected = {one.base_url: one for one in services.registry.endpoints(visitor.owner) if one is not services.local}
    without = [address for address, one in connected.items() if not one.api_key.get_secret_value()]
    known = services.store.read(lambda db: known_services.addresses(db, visitor.owner)).values()
    return [*without, *(address for address in known if address not in connected), SERVICES["apiyi"][1]][0]


def _begin_with(address: str) -> None:
    names = [name for name, (_title, known) in SERVICES.items() if known == address]
    st.session_state["connection_service"] = names[0] if names else CUSTOM
    st.session_state["connection_base_url"] = address


def _fields(services: Services) -> None:
    # In a form: a password field that is left by Tab, or by its own eye, keeps its text to itself (streamlit#5659).
    with st.form("connection_form", border=False):
        st.text_input(_("Address (base URL)"), key="connection_base_url", placeholder="https://api.example.com/v1")
        st.text_input(
            _("Key"),
            key="connection_key",
            type="password",
            autocomplete="off",
            placeholder=_("none needed") if _on_this_computer() else "sk-…",
            help=_("The key stays in this server's memory; it is not saved and never leaves for another address."),
        )
        if services.keychain.usable:
            st.checkbox(
                _("Remember on this computer"),
                key="connection_remember",
                help=_("The key goes into this computer's keychain, and stays there until you press Forget."),
            )
        # The test runs in the dialog's body, not in the callback: a callback can draw neither spinner nor error.
        st.form_submit_button(
            _("Connect"), key="connection_save", type="primary", on_click=_ask_for_test, width="stretch"
        )


def _on_this_computer() -> bool:
    service = st.session_state["connection_service"]
    return service in SERVICES and service not in KEY_PAGES


def _fill_address() -> None:
    name = st.session_state["connection_service"]
    st.session_state["connection_base_url"] = SERVICES[name][1] if name in SERVICES else ""


def _ask_for_test() -> None:
    st.session_state["connection_test"] = True


def _use(address: str) -> None:
    st.session_state["connection_base_url"] = address
    _ask_for_test()


def _test(services: Services, visitor: Visitor) -> None:
    """Find out whether a chat can be had, and connect; say what is wrong otherwise."""
    typed: Endpoint | None = None
    try:
        typed = typed_endpoint(st.session_state["connection_base_url"], st.session_state["connection_key"])
        offered = services.registry.offered_at(typed.base_url)
        if offered is not None and not typed.api_key.get_secret_value():
            typed = offered  # nobody wants to be without the key that is there
        with st.spinner(_("Asking {service} …").format(service=literal(typed.title))):
            found = services.dispatcher.jobs.call(find_service(services.dispatcher.client, typed), TEST_SECONDS)
        notice = _notice(found, typed, operators=typed is offered)
        if typed is not offered:
            _connect(services, visitor, found)
            _remember(services, visitor, found.endpoint, bool(st.session_state.get("connection_remember")))
    except TimeoutError:
        error_box(
            InvalidInput(
                N_("{service} gave no answer within {seconds:.0f} seconds."),
                service=typed.title if typed else "",
                seconds=TEST_SECONDS,
            )
        )
    except TemperaError as wrong:
        error_box(wrong)
        _offer(better_address(typed, wrong) if typed else "")
    else:
        state.notices.append(notice)
        state.connected += 1
        awaited, then = state.after_connecting or ("", None)
        _close()
        state.going_on = then if awaited == found.endpoint.name else None
        st.rerun()


def _offer(address: str) -> None:
    """What was probably meant; it is asked only when the person agrees, since it may be somebody else's."""
    if address:
        words = _("Use {address}").format(address=literal(address))
        st.button(words, key="connection_use", on_click=_use, args=(address,), width="stretch")


def _is_connected(found: Found) -> str:
    service, count = literal(found.endpoint.title), len(found.models)
    if found.models:
        words = _n("{service} is connected: {count} model.", "{service} is connected: {count} models.", count)
    else:
        words = _("{service} is connected. It has no list of models: type the model's id.")
    return words.format(service=service, count=count)


def _notice(found: Found, typed: Endpoint, operators: bool) -> str:
    parts = [_is_connected(found)]
    if found.endpoint.base_url != typed.base_url:
        parts.append(_("Its address is {address}.").format(address=literal(found.endpoint.base_url)))
    if operators:
        parts.append(_("Its key is that of whoever runs this Tempera."))
    elif not found.endpoint.api_key.get_secret_value():
        parts.append(_("No key was sent."))
    if found.warning is not None:
        parts.append(error_sentence(found.warning))
    return " ".join(parts)


def _connect(services: Services, visitor: Visitor, found: Found) -> None:
    """Keep the service for this visitor, and let the pages begin with one of its models."""
    endpoint = services.registry.connect(visitor.owner, found.endpoint)
    # Another key may see other models than those that are known.
    services.models.forget(visitor.owner, endpoint)
    if found.models:
        services.models.known(visitor.owner, endpoint, found.models)
    services.store.write(lambda db: known_services.connected(db, visitor.owner, endpoint))
    model_picker.begin_with(services, endpoint)


def _remember(services: Services, visitor: Visitor, endpoint: Endpoint, wanted: bool) -> None:
    """Put the key into the keychain where that is asked for; else take out what is there from an earlier time."""
    address, key = endpoint.base_url, endpoint.api_key
    wanted = wanted and bool(key.get_secret_value())
    if not wanted and address not in services.store.read(lambda db: keychain.remembered(db, visitor.owner)):
        return
    try:
        services.keychain.keep(address, key) if wanted else services.keychain.forget(address)
    except keychain.KeychainRefused as refused:
        state.notices.append(error_sentence(refused))
        wanted = False
    services.store.write(lambda db: keychain.note(db, visitor.owner, address, wanted)).result()


def _connected_services(services: Services, visitor: Visitor) -> None:
    own = services.registry.own(visitor.owner)
    remembered = services.store.read(lambda db: keychain.remembered(db, visitor.owner)) if own else []
    for endpoint in own:
        left, right = st.columns([3, 1], vertical_alignment="center")
        mark = f" · {_('remembered on this computer')}" if endpoint.base_url in remembered else ""
        left.caption(literal(endpoint.base_url) + mark)
        right.button(
            _("Forget"),
            key=f"connection_forget_{endpoint.name}",
            on_click=_forget,
            args=(services, visitor, endpoint),
        )


def _forget(services: Services, visitor: Visitor, endpoint: Endpoint) -> None:
    services.registry.disconnect(visitor.owner, endpoint.name)
    services.models.forget(visitor.owner, endpoint)
    _remember(services, visitor, endpoint, wanted=False)

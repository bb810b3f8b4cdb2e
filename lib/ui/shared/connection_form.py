"""The form of the connection's dialog: a service's address and key, tried before they are kept."""

from contextlib import suppress

import streamlit as st

from lib.core.errors import InvalidInput, KeychainRefused, NoKey, TemperaError
from lib.core.i18n import N_, joined
from lib.core.rich_text import literal
from lib.gateway.connecting import Found, better_address, find_service
from lib.gateway.endpoints import KEY_PAGES, SERVICES, Endpoint, name_of
from lib.gateway.key_masking import last_four
from lib.gateway.pasted_text import cleaned_address
from lib.services import Services
from lib.ui.shared import closed_fields, model_picker
from lib.ui.shared.choices import choice_key
from lib.ui.shared.error_box import error_box
from lib.ui.shared.interruptible_wait import interruptible_result
from lib.ui.shared.pop_ups import pop_up
from lib.ui.shared.state import Connecting, state
from lib.ui.shared.texts import _, _n, error_sentence
from lib.ui.shared.visitor import Visitor
from lib.visitor import keychain, known_services

TEST_SECONDS = 20.0
CUSTOM = "custom"
SERVICE = "connection_service"
"""The field that a typed address sets (lib/ui/shared/closed_fields.py)."""


def connection_form(services: Services, visitor: Visitor, dialog: Connecting) -> None:
    """The service, its address and its key; below them what came of it."""
    if "connection_base_url" not in st.session_state:
        begin_with(_likely_address(services, visitor))
    st.selectbox(
        _("Service"),
        [CUSTOM, *SERVICES],
        format_func=lambda name: SERVICES[name][0] if name in SERVICES else _("Another address"),
        key=choice_key(_service_key()),
        on_change=_fill_address,
        args=(_service_key(),),
    )
    # Not in the form below: what a form holds is told with its button only, and Service has to follow the address.
    st.text_input(
        _("Address (base URL)"),
        key="connection_base_url",
        placeholder="https://api.example.com/v1",
        on_change=_name_service,
    )
    _key_and_button(services, dialog)
    _captions(services)
    if st.session_state.pop("connection_test", False):
        _test(services, visitor, dialog)
    if dialog.refused is not None:
        # Kept until the next try: leaving a field draws the dialog anew.
        wrong, suggestion = dialog.refused
        error_box(wrong)
        _offer(suggestion, dialog)


def begin_with(address: str) -> None:
    """What the dialog opens with: an address, and the service that it is of."""
    st.session_state["connection_base_url"] = address
    st.session_state[_service_key()] = _service_of(address)


def change_key(dialog: Connecting, endpoint: Endpoint) -> None:
    """Let the form ask for another key for a service that is connected; a callback."""
    dialog.changing, dialog.forgotten, dialog.refused = endpoint.name, "", None
    begin_with(endpoint.base_url)
    st.session_state["connection_key"] = ""


def use_found(services: Services, visitor: Visitor, found: Found) -> None:
    """Connect a service that was found on this computer."""
    _connect(services, visitor, found)
    _say(_is_connected(found))
    state.connected_in = state.chat_id
    state.connected += 1
    state.close_dialogs()


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
    services.store.write(lambda db: keychain.note_kept(db, visitor.owner, address, wanted)).result()


def _likely_address(services: Services, visitor: Visitor) -> str:
    """Where a key is probably for: the operator's service that has none, else the one connected before a restart."""
    connected = {one.base_url: one for one in services.registry.endpoints(visitor.owner) if one is not services.local}
    without = [address for address, one in connected.items() if not one.api_key.get_secret_value()]
    known = services.store.read(lambda db: known_services.addresses(db, visitor.owner)).values()
    return [*without, *(address for address in known if address not in connected), SERVICES["apiyi"][1]][0]


def _key_and_button(services: Services, dialog: Connecting) -> None:
    # In a form: a password field that is left by Tab, or by its own eye, keeps its text to itself (streamlit#5659).
    with st.form("connection_form", border=False):
        st.text_input(
            _("Key"),
            key="connection_key",
            type="password",
            autocomplete="off",
            placeholder=_("none needed") if _on_this_computer() else "sk-…",
        )
        if services.keychain.usable:
            st.checkbox(_("Remember on this computer"), key="connection_remember")
        # The test runs in the dialog's body, not in the callback: a callback can draw neither spinner nor error.
        st.form_submit_button(
            _("Connect"),
            key="connection_save",
            type="primary",
            on_click=_ask_for_test,
            args=(dialog,),
            width="stretch",
        )


# Below the button: what is above it must not move while it is being pressed, when the address has just been left.
def _captions(services: Services) -> None:
    service = st.session_state[_service_key()]
    if service in KEY_PAGES:
        st.caption(_("Where to get a key: {page}").format(page=KEY_PAGES[service]))
    if _on_this_computer():
        return
    words = [_("Your key goes to this address only. It stays in Tempera's memory until Tempera ends.")]
    if services.keychain.usable:
        words.append(_("Ticked, it is also kept in this computer's keychain until you press Forget."))
    st.caption(joined(words, _))


def _on_this_computer() -> bool:
    service = st.session_state[_service_key()]
    return service in SERVICES and service not in KEY_PAGES


def _fill_address(key: str) -> None:
    if key == _service_key():
        name = st.session_state[key]
        st.session_state["connection_base_url"] = SERVICES[name][1] if name in SERVICES else ""


def _name_service() -> None:
    """Let *Service* be that of the address."""
    service = _service_of(st.session_state["connection_base_url"])
    # There is none where a browser tells what was typed when the dialog is closed already.
    if st.session_state.get(_service_key(), service) != service:
        # In a field of its own: with a press that comes at once, the browser tells the former choice as if it were new,
        # and the key would go to the address of that.
        closed_fields.put(SERVICE, service)


def _service_key() -> str:
    return closed_fields.key_of(SERVICE)


def _service_of(address: str) -> str:
    """The well-known service that has this address, else CUSTOM."""
    with suppress(ValueError):  # no address yet: Connect says so
        name = name_of(cleaned_address(address))
        return name if name in SERVICES else CUSTOM
    return CUSTOM


def _ask_for_test(dialog: Connecting) -> None:
    st.session_state["connection_test"] = True
    dialog.forgotten, dialog.refused = "", None


def _use(address: str, dialog: Connecting) -> None:
    st.session_state["connection_base_url"] = address
    _name_service()
    _ask_for_test(dialog)


def _test(services: Services, visitor: Visitor, dialog: Connecting) -> None:
    """Find out whether a chat can be had, and connect; say what is wrong otherwise."""
    typed: Endpoint | None = None
    try:
        typed = services.registry.typed(st.session_state["connection_base_url"], st.session_state["connection_key"])
        offered = services.registry.offered_at(typed.base_url)
        if offered is not None and not typed.api_key.get_secret_value():
            typed = offered  # nobody wants to be without the key that is there
        jobs, client = services.dispatcher.jobs, services.dispatcher.client
        with st.spinner(_("Asking {service} …").format(service=literal(typed.title))):
            found = interruptible_result(jobs.submit(find_service(client, typed)), TEST_SECONDS)
        notice = _notice(found, typed, operators=typed is offered)
        if typed is not offered:
            _connect(services, visitor, found)
            remember(services, visitor, found.endpoint, bool(st.session_state.get("connection_remember")))
    except TimeoutError:
        title = typed.title if typed else ""
        words = N_("{service} gave no answer within {seconds:.0f} seconds.")
        dialog.refused = InvalidInput(words, service=title, seconds=TEST_SECONDS), ""
    except NoKey as wrong:
        wrong.hint = N_("Type it in above, then press Connect.")
        dialog.refused = wrong, ""
    except TemperaError as wrong:
        dialog.refused = wrong, better_address(typed, wrong) if typed else ""
    else:
        _say(notice, to_be_read=found.warning is not None)
        state.connected_in = state.chat_id
        state.connected += 1
        awaited, then = dialog.then or ("", None)
        state.close_dialogs()
        state.going_on = then if awaited in ("", found.endpoint.name) else None
        st.rerun()


def _say(notice: str, to_be_read: bool = False) -> None:
    """Chat has a place for it that moves nothing; elsewhere a form would go down."""
    if to_be_read or not state.page:
        state.notices.append(notice)
    else:
        pop_up(notice, ":material/check:", "long")


def _offer(address: str, dialog: Connecting) -> None:
    """What was probably meant; it is asked only when the person agrees, since it may be somebody else's."""
    if address:
        words = _("Use {address}").format(address=literal(address))
        st.button(words, key="connection_use", on_click=_use, args=(address, dialog), width="stretch")


def _is_connected(found: Found) -> str:
    service, count = literal(found.endpoint.title), len(found.models)
    if found.models:
        words = _n("{service} is connected: {count} model.", "{service} is connected: {count} models.", count)
    else:
        words = _("{service} is connected. It has no list of models: type the model's id.")
    return words.format(service=service, count=count)


def _notice(found: Found, typed: Endpoint, operators: bool) -> str:
    parts, key = [_is_connected(found)], found.endpoint.api_key.get_secret_value()
    if found.endpoint.base_url != typed.base_url:
        parts.append(_("Its address is {address}.").format(address=literal(found.endpoint.base_url)))
    if operators:
        parts.append(_("Its key is that of whoever runs this Tempera."))
    elif key:
        parts.append(_("Your key there is {key}.").format(key=literal(last_four(key))))
    else:
        parts.append(_("No key was sent."))
    if found.warning is not None:
        parts.append(error_sentence(found.warning))
    return joined(parts, _)


def _connect(services: Services, visitor: Visitor, found: Found) -> None:
    """Keep the service for this visitor, and let the pages begin with one of its models."""
    endpoint = services.registry.connect(visitor.owner, found.endpoint)
    # Another key may see other models than those that are known.
    services.models.forget(visitor.owner, endpoint)
    if found.models:
        services.models.known(visitor.owner, endpoint, found.models)
    services.store.write(lambda db: known_services.remember(db, visitor.owner, endpoint))
    model_picker.begin_with(services, visitor.owner, endpoint)

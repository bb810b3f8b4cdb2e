"""The chat before its first message: what this is, three examples, and which model answers."""

from collections.abc import Sequence

import streamlit as st

from lib.core.i18n import N_, listed
from lib.core.rich_text import literal
from lib.gateway.endpoints import Endpoint, find
from lib.services import Services
from lib.ui.chat import model_actions, open_chat
from lib.ui.chat.chat_settings import BESIDE
from lib.ui.shared import closed_fields
from lib.ui.shared.connection import local_services, open_dialog
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor

EXAMPLES = (
    N_("Write a haiku about the first snow."),
    N_("Explain to a ten-year-old why the sky is blue."),
    N_("Give me three names for a small bakery."),
)


def empty_state(services: Services, visitor: Visitor) -> None:
    """An invitation, and one honest line about what answers."""
    connected = services.registry.endpoints(visitor.owner)
    endpoint, model = find(st.session_state.get("chat_model") or "", connected) if connected else (None, "")
    local = endpoint is not None and endpoint is services.local
    with st.container(key="chat_empty"):
        st.title(_("Ask anything."), anchor=False, text_alignment="center")
        what = _("One chat model answers, or several side by side, and you see what each one says, takes and costs.")
        st.markdown(what, text_alignment="center")
        with st.container(key="chat_examples", horizontal=True, gap="small"):
            for index, example in enumerate(EXAMPLES):
                # The practice model answers in English only.
                text = example if local else _(example)
                name = f"chat_example_{index}"
                st.button(text, key=name, on_click=model_actions.check_and_send, args=(text,), width="stretch")
        others = closed_fields.values_of(BESIDE)
        if others and connected:
            _several([find(value, connected) for value in (st.session_state.get("chat_model") or "", *others)])
        elif local:
            _practice(services.registry.own_services != "none")
        elif endpoint is None:
            _nothing()
        elif model:
            words = _("**{model}** answers, at {service}: what you write goes there and nowhere else.")
            st.caption(words.format(model=literal(model), service=literal(endpoint.title)), text_alignment="center")
        local_services(services, visitor, "chat")


def _several(asked: Sequence[tuple[Endpoint, str]]) -> None:
    """Which models answer side by side, and where what is written goes."""
    models = listed((f"**{literal(model)}**" for _endpoint, model in asked if model), _)
    services = listed(dict.fromkeys(literal(_(endpoint.title)) for endpoint, _model in asked), _)
    words = _("{models} answer side by side: what you write goes to {services} and nowhere else.")
    st.caption(words.format(models=models, services=services), text_alignment="center")


def no_such_chat() -> None:
    """What stands in its place where the address names a chat that there is not."""
    with st.container(key="chat_missing"):
        st.subheader(_("There is no such chat here."), anchor=False)
        st.markdown(
            _(
                "It may have been deleted, it was a temporary one, or it is on another computer. "
                "What you write below begins a new one."
            )
        )
        st.button(_("New chat"), key="chat_missing_new", icon=":material/add:", on_click=open_chat.new)


def _practice(may_connect: bool) -> None:
    if not may_connect:
        words = _("A tiny free model answers, mainly in English: for learning the page, not for judging quality.")
        st.caption(words, text_alignment="center")
        return
    st.caption(
        _(
            "A tiny free model on this computer answers, mainly in English: for learning the page, not for "
            "judging quality. Connect a service for better answers."
        ),
        text_alignment="center",
    )
    _connect()


def _nothing() -> None:
    words = _("The practice model is not installed on this computer. Connect a service to begin:")
    st.markdown(words, text_alignment="center")
    _connect()


def _connect() -> None:
    words, key = _("Connect a service"), "chat_connect"
    st.button(words, key=key, type="primary", icon=":material/add_link:", on_click=open_dialog)

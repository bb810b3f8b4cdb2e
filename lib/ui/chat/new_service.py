"""Offers a new chat to whoever has connected a service while a chat was open, which goes on with its own model."""

import streamlit as st

from lib.core.rich_text import literal
from lib.gateway.endpoints import find
from lib.services import Services
from lib.ui.chat import open_chat
from lib.ui.shared import model_picker
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor


def new_chat_offer(services: Services, visitor: Visitor) -> str | None:
    """A button beside the sentence that says it, once; the chat in which it is shown."""
    chat, state.connected_in = state.connected_in, None
    model = model_picker.first_model(services, visitor.owner)
    if chat is None or chat != state.chat_id or model is None:
        return None
    _endpoint, name = find(model, services.registry.endpoints(visitor.owner))
    words = _("New chat with {model}").format(model=literal(name))
    st.button(words, key="chat_new_with", icon=":material/add:", on_click=open_chat.new)
    return chat

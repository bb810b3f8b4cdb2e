"""Shows a link that fills the chat's form with a question and the settings."""

from dataclasses import replace

import streamlit as st

from lib.chat.form import Form
from lib.chat.repository import Turn
from lib.core.errors import InvalidInput
from lib.gateway import endpoints
from lib.gateway.addresses import is_loopback
from lib.ui.chat import chat_settings, open_chat
from lib.ui.chat.links import chat_link
from lib.ui.shared.texts import _, error_sentence


def share(turn: Turn) -> None:
    """The address that asks the question `turn` with the settings as they stand."""
    page = st.context.url if isinstance(st.context.url, str) else ""
    st.caption(_("A link with this question, the model and the settings; never a key:"))
    try:
        st.code(chat_link(_named(chat_settings.read()), turn.text, page), language=None, wrap_lines=True)
    except InvalidInput as error:
        st.caption(error_sentence(error))
    if is_loopback(page):
        st.caption(_("Its address is this computer's own, so it works only here."))


def _named(form: Form) -> Form:
    """The form with the service named, so that the link means the same whatever is connected there."""
    connected = open_chat.current().endpoints()
    return replace(form, model=endpoints.named(form.model, connected)) if connected and form.model else form

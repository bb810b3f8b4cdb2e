"""A link that fills the chat's form: for a colleague, or to come back to."""

from dataclasses import replace

import streamlit as st

from lib import catalogue
from lib.chats import Turn
from lib.errors import InvalidInput
from lib.form import Form
from lib.ui import talk
from lib.ui.links import chat_link
from lib.ui.texts import _, said
from lib.wire.addresses import is_loopback


def share(turn: Turn) -> None:
    """The address that asks the question `turn` with the settings as they stand."""
    page = st.context.url if isinstance(st.context.url, str) else ""
    st.caption(_("A link with this question, the model and the settings; never a key:"))
    try:
        st.code(chat_link(_named(talk.form()), turn.text, page), language=None, wrap_lines=True)
    except InvalidInput as refused:
        st.caption(said(refused))
    if is_loopback(page):
        st.caption(_("Its address is this computer's own, so it works only here."))


def _named(form: Form) -> Form:
    """The form with the service named, so that the link means the same whatever is connected there."""
    owned = talk.current()
    connected = owned.house.connections.endpoints(owned.owner)
    return replace(form, model=catalogue.named(form.model, connected)) if connected and form.model else form

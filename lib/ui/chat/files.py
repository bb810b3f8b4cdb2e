"""Buttons that save a chat as a file, and the field that brings chats in."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from lib.chat import chat_import, export
from lib.chat.conversation import Conversation
from lib.chat.import_source import MAX_BYTES
from lib.chat.repository import Chat
from lib.core.errors import TemperaError
from lib.core.file_names import file_name
from lib.core.request import Role
from lib.ui.chat import import_dialog, model_actions
from lib.ui.chat.import_dialog import UPLOAD
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_message, role_names

JSON = "application/json"


def save_buttons(chat: Chat) -> None:
    """The open chat as Markdown or JSON, made when it is asked for."""
    owned, names = model_actions.current(), role_names()  # now: while a file is made there is no session
    for label, ending, mime in ((_("Save as text"), "md", "text/markdown"), (_("Save as JSON"), "json", JSON)):
        st.download_button(
            label,
            partial(_file, owned, names, ending),
            file_name=file_name(chat.title, ending, "tempera-chat"),
            mime=mime,
            key=f"chat_save_{ending}",
            icon=":material/download:",
            on_click="ignore",
        )


def import_chat() -> None:
    """Chats from a file: one that was saved here, or what other programs write."""
    with st.expander(_("Bring in a chat"), key="chat_bring_in", type="compact", icon=":material/upload:"):
        st.caption(_("Saved here, or from ChatGPT (also its .zip), Open WebUI, or a request’s messages."))
        st.file_uploader(
            _("A JSON file"),
            type=["json", "zip"],
            key=UPLOAD,
            on_change=_read,
            max_upload_size=MAX_BYTES // 1_000_000,
            label_visibility="collapsed",
        )
    import_dialog.offer()


def _file(owned: Conversation, names: Mapping[Role, str], ending: str) -> bytes:
    document = owned.document()
    return export.to_json(document) if ending == "json" else export.to_markdown(document, names)


def _read() -> None:
    file = st.session_state[UPLOAD]
    state.offered_chats = None
    if file is None:
        return
    try:
        with st.spinner(_("Reading the file …")):
            found = chat_import.listing(file.getvalue())
        if len(found.chats) > 1:
            state.offered_chats = found
        else:
            import_dialog.open_only(found)
    except TemperaError as error:
        # Without its hint, which is about a message that was typed.
        state.notices.append(error_message(error))

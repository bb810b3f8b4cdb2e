"""Buttons that save a chat as a file, and the field that brings one in."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from lib.chat import export
from lib.chat.conversation import Conversation
from lib.chat.repository import Chat
from lib.core.contract import Role
from lib.core.errors import InvalidInput
from lib.ui.chat import model_actions
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence, role_names

JSON = "application/json"
UPLOAD = "chat_import"


def save_buttons(chat: Chat) -> None:
    """The open chat as Markdown or JSON, made when it is asked for."""
    owned, names = model_actions.current(), role_names()  # now: while a file is made there is no session
    for label, ending, mime in ((_("Save as text"), "md", "text/markdown"), (_("Save as JSON"), "json", JSON)):
        st.download_button(
            label,
            partial(_file, owned, chat.title, names, ending),
            file_name=f"tempera-chat.{ending}",
            mime=mime,
            key=f"chat_save_{ending}",
            icon=":material/download:",
            on_click="ignore",
        )


def import_chat() -> None:
    """A chat from a file: one that was saved here, or an array of messages."""
    with st.expander(_("Bring in a chat"), key="chat_bring_in", type="compact", icon=":material/upload:"):
        st.file_uploader(
            _("A JSON file"),
            type="json",
            key=UPLOAD,
            on_change=_read,
            max_upload_size=export.MAX_BYTES // 1_000_000,
            label_visibility="collapsed",
        )


def _file(owned: Conversation, title: str, names: Mapping[Role, str], ending: str) -> bytes:
    messages = owned.with_parts(owned.branch())
    if ending == "json":
        return export.to_json(title, messages)
    return export.to_markdown(title, messages, names)


def _read() -> None:
    file = st.session_state[UPLOAD]
    if file is None:
        return
    try:
        title, messages = export.read(file.getvalue())
        if messages[0].role == "system":
            st.session_state["chat_system"] = messages.pop(0).content
        if not messages:
            return
        model_actions.new()
        state.chat_id = model_actions.current().import_chat(title, messages)
    except InvalidInput as error:
        state.notices.append(error_sentence(error))

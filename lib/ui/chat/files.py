"""Buttons that save a chat as a file (text, JSON, web page), and the field that brings chats in."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from lib.chat import chat_import, export, html_export
from lib.chat.conversation import Conversation
from lib.chat.import_source import MAX_BYTES
from lib.chat.reader import Reader
from lib.chat.repository import Chat
from lib.core.errors import TemperaError
from lib.core.file_names import file_name
from lib.ui.chat import import_dialog, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared import figures
from lib.ui.shared.dates import viewer_zone
from lib.ui.shared.saved_file import saved
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_message, for_this_reader, language, page_language, role_names

JSON = "application/json"


def save_buttons(chat: Chat) -> None:
    """A chat as a file, made when it is asked for."""
    for label, ending, mime in (
        (_("Web page, to read and print"), "html", "text/html"),
        (_("Text (Markdown)"), "md", "text/markdown"),
        (_("JSON, to bring it in again"), "json", JSON),
    ):
        st.download_button(
            label,
            file_of(chat, ending),
            file_name=file_name(chat.title, ending, "tempera-chat"),
            mime=mime,
            key=f"chat_save_{ending}",
            type="tertiary",
            icon=":material/download:",
            on_click=_saved,
        )


def _saved() -> None:
    chat_state.saving = None
    saved()


def file_of(chat: Chat, ending: str) -> Callable[[], bytes]:
    """Writes a chat as a web page, Markdown or JSON, by its file's ending."""
    # Now: while a file is made there is no session.
    owned = replace(open_chat.current(), chat_id=chat.id, temporary=False)
    reader = Reader(page_language(), language(), viewer_zone(), role_names(), for_this_reader(figures.line))
    return partial(_file, owned, reader, ending)


def import_chat() -> None:
    """Chats from a file: one that was saved here, or what other programs write."""
    with st.expander(_("Bring in a chat"), key="chat_bring_in", type="compact", icon=":material/upload:"):
        st.caption(_("Saved here, or from ChatGPT (also its .zip), Open WebUI, or a request’s messages."))
        st.file_uploader(
            _("A JSON file"),
            type=["json", "zip"],
            key=import_dialog.upload(),
            on_change=_read,
            max_upload_size=MAX_BYTES // 1_000_000,
            label_visibility="collapsed",
        )
    import_dialog.offer()


def _file(owned: Conversation, reader: Reader, ending: str) -> bytes:
    document = owned.document()
    if ending == "html":
        return html_export.to_html_page(document, reader)
    return export.to_json(document) if ending == "json" else export.to_markdown(document, reader)


def _read() -> None:
    file = st.session_state[import_dialog.upload()]
    chat_state.offered_chats = None
    if file is None:
        return
    try:
        with st.spinner(_("Reading the file …")):
            found = chat_import.listing(file.getvalue())
        if len(found.chats) > 1:
            chat_state.offered_chats = found
            return
        import_dialog.open_only(found)
    except TemperaError as error:
        # Without its hint, which is about a message that was typed.
        state.notices.append(error_message(error))
    chat_state.files_taken += 1

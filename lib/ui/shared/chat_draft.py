"""A conversation that another page hands over to Chat, to go on with it there."""

from collections.abc import Iterable

import streamlit as st

from lib.calls import records
from lib.calls.records import CallRecord
from lib.chat import repository as chats
from lib.chat.form import usable_params
from lib.chat.imported import ImportedChat, MadeBy
from lib.core.request import Message
from lib.services import Services
from lib.ui.shared.page_files import CHAT_PAGE


def continue_in_chat(services: Services, call: CallRecord) -> None:
    """Keep what a call asked and answered as a chat with its model and parameters, and lead there. Only a script run
    can do that, no callback. Raises StoreError."""
    asked = services.store.read(lambda db: records.messages_of(db, call.owner, call.id))
    chat = _chat(asked, call)
    chat_id = services.store.write(lambda db: chats.add_chat(db, call.owner, chat)).result()
    st.switch_page(CHAT_PAGE, query_params={"chat": chat_id})


def _chat(asked: Iterable[Message], call: CallRecord) -> ImportedChat:
    asked = list(asked)
    chat = ImportedChat.of(message for message in asked if message.role != "system")
    chat.system = next((message.content for message in asked if message.role == "system"), "")
    chat.model = f"{call.endpoint}/{call.model}"
    chat.params = usable_params({**call.params_asked, "stream": True})
    made_by = MadeBy(call.endpoint, call.model, call.params_asked)
    text = call.choice().text
    if text.strip():
        chat.add(Message(role="assistant", content=text), chat.current, made_by=made_by)
    return chat

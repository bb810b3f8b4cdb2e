"""The pages as others lead to them: their files, and what is handed over, so that pages don't import each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.calls import records
from lib.calls.records import CallRecord
from lib.chat import repository as chats
from lib.chat.form import usable_params
from lib.chat.imported import ImportedChat, MadeBy
from lib.core.request import Message
from lib.services import Services

CHAT_PAGE = "../../pages/chat.py"
SWEEP_PAGE = "../../pages/sweep.py"
USAGE_PAGE = "../../pages/usage.py"
"""Relative to the main script's folder: as `st.switch_page` wants them."""
_SWEEP = "sweep_draft"


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


@dataclass(frozen=True, slots=True)
class SweepDraft:
    """A sweep's form to begin with: `history` is the conversation that `prompt` goes on."""

    prompt: str
    system: str
    models: tuple[str, ...]
    history: tuple[Message, ...]


def open_sweep_with(prompt: str, system: str, models: Sequence[str], history: Sequence[Message]) -> None:
    """Lead to the sweep page with its form filled. Only a script run can do that, no callback."""
    # Through the session and not the address: a conversation is longer than an address may be.
    st.session_state[_SWEEP] = SweepDraft(prompt, system, tuple(models), tuple(history))
    st.switch_page(SWEEP_PAGE)


def taken_sweep_draft() -> SweepDraft | None:
    """The draft that waits for the sweep page, taken out; None when there is none."""
    draft: SweepDraft | None = st.session_state.pop(_SWEEP, None)
    return draft

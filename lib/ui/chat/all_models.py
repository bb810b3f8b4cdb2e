"""Dialog with all models by vendor: one of them is chosen."""

import streamlit as st

from lib.services import Services
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared import model_picker
from lib.ui.shared.model_list import begin, model_list
from lib.ui.shared.state import state
from lib.ui.shared.texts import _


def all_models(services: Services, owner: str) -> None:
    """Draw the button that opens the list of models, and its dialog while it is open."""
    words = _("All models")
    st.button(words, key="chat_models_open", icon=":material/view_list:", on_click=_open)
    if chat_state.choosing_model:
        st.dialog(words, width="medium", on_dismiss=state.close_dialogs)(_body)(services, owner)


def _body(services: Services, owner: str) -> None:
    if not chat_state.choosing_model:
        st.rerun()
    model_list(services, owner, "chat", _choose)


def _choose(value: str, label: str) -> None:
    st.button(
        label,
        key=f"chat_use_{value}",
        type="primary" if value == st.session_state.get("chat_model") else "tertiary",
        on_click=_use,
        args=(value,),
    )


def _use(value: str) -> None:
    model_picker.pick("chat_model", value)
    state.close_dialogs()


def _open() -> None:
    chat_state.choosing_model = True
    begin("chat")

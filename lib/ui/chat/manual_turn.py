"""The editor for messages added by hand: examples for the model, or the beginning of its answer."""

import streamlit as st

from lib.ui.chat import edit_actions
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.edit_actions import WRITTEN_ROLE
from lib.ui.chat.model_actions import WRITTEN
from lib.ui.shared.texts import _, role_names


def manual_turn() -> None:
    """The editor for a further turn, while it is open; and the way back for one that was deleted."""
    if chat_state.deleted_turn is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("The message is deleted."))
            st.button(
                _("Undo"), key="turn_undelete", type="tertiary", icon=":material/undo:", on_click=edit_actions.undelete
            )
    if chat_state.writing:
        with st.container(key="written_turn_form", border=True):
            _form()


def _form() -> None:
    st.segmented_control(
        _("Who says it"), ["user", "assistant"], format_func=role_names().__getitem__, default="user", key=WRITTEN_ROLE
    )
    st.text_area(_("What is said"), key=WRITTEN, label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button(_("Add"), key="written_add", type="primary", on_click=edit_actions.add_written)
        if st.session_state[WRITTEN_ROLE] == "assistant":
            st.button(
                _("Add, and let the model go on"), key="written_go_on", on_click=edit_actions.add_written, args=(True,)
            )
        st.button(_("Close"), key="written_cancel", type="tertiary", on_click=edit_actions.stop_writing)

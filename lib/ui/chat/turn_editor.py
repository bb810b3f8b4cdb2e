"""The editors of turns: one that is there, of a question or an answer, and one that is added by hand."""

import streamlit as st

from lib.chat import attachments
from lib.chat.repository import Turn
from lib.core.i18n import listed
from lib.core.rich_text import literal
from lib.ui.chat import edit_actions, model_actions
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.edit_actions import WRITTEN_ROLE
from lib.ui.chat.model_actions import WRITTEN
from lib.ui.shared.texts import _, role_names


def editor(turn: Turn) -> None:
    """The text of a turn, to be changed: a question is sent again, an answer kept; the old one stays as a version."""
    words, files = attachments.parted(turn.text) if turn.role == "user" else (turn.text, ())
    st.text_area(_("Your message"), words, key=model_actions.EDITED, label_visibility="collapsed")
    if files:
        names = listed((literal(one.name) for one in files), _)
        st.caption(_("What goes along stays: {names}").format(names=names))
    asks = turn.role == "user"
    done, label = (model_actions.send_edited, _("Send")) if asks else (edit_actions.rewrite, _("Save"))
    with st.container(horizontal=True):
        st.button(label, key="edit_send", type="primary", on_click=done, args=(turn,))
        st.button(_("Cancel"), key="edit_cancel", type="tertiary", on_click=edit_actions.leave_as_it_was)


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
            _manual_form()


def _manual_form() -> None:
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

"""The settings of the chat page: presets, what matters first, and the rest under More."""

import streamlit as st

from lib.services import Services
from lib.ui.chat import edit_actions
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.presets import preset_row
from lib.ui.shared import controls, unsupported_params
from lib.ui.shared.choices import choice_key
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor


def settings_panel(services: Services, visitor: Visitor, prefix: str, begins: bool) -> None:
    """One closed panel, and beside it what is set; where a chat `begins`, its first turns can be written there. The
    widgets are drawn while it is open: a browser needs as long for them as for a screen of answers."""
    chosen = unsupported_params.chosen(services, visitor.owner, st.session_state.get(f"{prefix}_model") or "")
    # The label changes with the language only: Streamlit takes an expander with another one for a new one, which is
    # closed, as it is on a page that is come back to.
    key = choice_key(f"{prefix}_settings")
    if st.session_state.get(key) != chat_state.settings_open:
        st.session_state[key] = chat_state.settings_open
    with st.expander(_("Settings"), key=key, icon=":material/tune:", on_change=_turn, args=(key,)) as panel:
        if panel.open:
            # Seen on a phone only, where they lie over the button that has opened them.
            st.button(_("Done"), key=f"{prefix}_settings_done", icon=":material/close:", on_click=_close)
            preset_row(services, visitor, prefix, chosen)
            controls.basics(prefix, chosen)
            controls.extra(prefix, chosen)
            if begins:
                _write_first(prefix)
    changes = controls.changes(prefix, chosen)
    if changes:
        with st.container(key=f"{prefix}_changes", width="content"):
            st.caption(changes)


def _turn(key: str) -> None:
    chat_state.settings_open = st.session_state[key]


def _close() -> None:
    chat_state.settings_open = False


def _write_first(prefix: str) -> None:
    """Examples for the model to follow are a kind of setting, too."""
    words, key, icon = _("Write the first turns yourself"), f"{prefix}_write_first", ":material/add_comment:"
    st.button(words, key=key, type="tertiary", icon=icon, on_click=_begin_writing)


def _begin_writing() -> None:
    _close()  # on a phone they lie over the field
    edit_actions.begin_writing()

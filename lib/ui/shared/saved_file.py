"""Says, once, that a file was saved; a browser shows so little of it that it seems as if nothing had happened."""

import streamlit as st

from lib.core.i18n import N_
from lib.ui.shared.state import state
from lib.ui.shared.texts import _

SAVED = N_("Saved, where your browser keeps its downloads.")


def saved() -> None:
    """Let the run that follows say it; a callback of what saves."""
    state.saved_file = True


def say_saved() -> None:
    """Say it. Not in the callback: before a fragment's run Streamlit puts a toast where the page's own styles stand."""
    if state.saved_file:
        state.saved_file = False
        st.toast(_(SAVED), icon=":material/check:")


def saved_line() -> None:
    """Say it in a line of its own: in a dialog, which a toast covers on a phone."""
    if state.saved_file:
        state.saved_file = False
        st.caption(_(SAVED))

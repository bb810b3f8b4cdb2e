"""Says, once, that a file was saved; a browser shows so little of it that it seems as if nothing had happened."""

import streamlit as st

from lib.ui.shared.state import state
from lib.ui.shared.texts import _


def saved() -> None:
    """Let the run that follows say it; a callback of what saves."""
    state.saved_file = True


def say_saved() -> None:
    """Say it. Not in the callback: before a fragment's run Streamlit puts a toast where the page's own styles stand."""
    if state.saved_file:
        state.saved_file = False
        st.toast(_("Saved, where your browser keeps its downloads."), icon=":material/check:")

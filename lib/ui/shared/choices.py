"""Lets a choice that was made in one language be the same one in another."""

import streamlit as st

from lib.ui.shared.state import state
from lib.ui.shared.texts import language


def choice_key(key: str, named: str = "") -> str:
    """`key`, for a field that is drawn now and whose options are words of ours: what is chosen there is told anew where
    the language has changed, or `named`, which says how else they are called.

    A browser knows an option of `st.radio`, `st.selectbox` and `st.multiselect` by its words only. After a change of
    language it would go on showing the old ones and tell them with its next run, where no option has them: the choice
    would be lost. So in the run of the change it is told what is chosen. Not in each run: a choice made while one
    draws would be undone.
    """
    drawn_in, words = state.choices_drawn_in, language() + named
    if drawn_in.get(key, words) != words and key in st.session_state:
        st.session_state[key] = st.session_state[key]
    drawn_in[key] = words
    return key

"""The menu by which a chat or a sweep is saved as a file, or shared under a link."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lib.core.i18n import N_
from lib.ui.shared import resources
from lib.ui.shared.history_list import Actions, action_words

SAVE = {"save": ("download", N_("Save as a file"))}
SHARE = {"share": ("link", N_("Share for reading"))}


def ways() -> Actions:
    """Without sharing, where the operator does not want that."""
    return {**SAVE, **SHARE} if resources.services().may_share_links else SAVE


def menu_of_ways(words: str, key: str, do: Callable[[], None]) -> None:
    """An icon that opens the menu; when `do` is called, the chosen way stands under `key` in the session."""
    icon, actions = ":material/ios_share:", ways()
    words_of = partial(action_words, actions)
    st.menu_button(words, list(actions), key=key, icon=icon, format_func=words_of, on_click=do)

"""The `...` of every page: language, light or dark, one's data, help."""

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any, NamedTuple

import streamlit as st

from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.backup import backup_section
from lib.ui.shared.erase_dialog import erase_dialog
from lib.ui.shared.help_dialog import help_dialog
from lib.ui.shared.page_style import THEME_KEY
from lib.ui.shared.share_link import links_dialog, share_dialog
from lib.ui.shared.sign_in_page import SIGN_OUT
from lib.ui.shared.state import state
from lib.ui.shared.texts import LANGUAGE_KEY, LANGUAGES, _, language
from lib.ui.shared.visitor import visitor
from lib.visitor import preferences

THEMES = {"system": N_("Like the system"), "light": N_("Light"), "dark": N_("Dark")}


class MenuDialog(NamedTuple):
    """A dialog, and the menu's entry that opens it."""

    words: str
    icon: str
    title: str
    draw: Callable[[Services], None]


DIALOGS = {
    "links": MenuDialog(
        N_("Links that you have shared"), ":material/link:", N_("Links that you have shared"), links_dialog
    ),
    "erase": MenuDialog(N_("Delete my history …"), ":material/delete_history:", N_("Delete my history"), erase_dialog),
    "help": MenuDialog(N_("Help and about"), ":material/help:", N_("Help and about"), help_dialog),
}


def menu(services: Services) -> None:
    """The button and what opens below it."""
    with st.popover(_("Menu"), icon=":material/more_horiz:", key="menu", help=_("Language, colours, your data, help")):
        _choice(services, LANGUAGE_KEY, _("Language"), LANGUAGES, language())
        _choice(services, THEME_KEY, _("Colours"), {name: _(words) for name, words in THEMES.items()}, theme())
        st.divider()
        if services.sign_ins is None:
            backup_section(services)  # everything of everybody: where many share it, that is the operator's
        if services.may_share_links:
            _opener("links")
        _opener("erase")
        st.divider()
        _opener("help")
        if services.sign_ins is not None:
            with st.container(key="sign_out"):
                # Streamlit's own links open a new tab.
                st.html(f'<a href="{SIGN_OUT}">{escape(_("Sign out …"))}</a>')
    if state.page_dialog is not None:
        opened = DIALOGS[state.page_dialog]
        st.dialog(_(opened.title), on_dismiss=state.close_dialogs)(opened.draw)(services)
    share_dialog(services)


def _opener(name: str) -> None:
    words, icon = _(DIALOGS[name].words), DIALOGS[name].icon
    st.button(words, key=f"{name}_open", type="tertiary", icon=icon, on_click=state.open_page_dialog, args=(name,))


def theme() -> str:
    """What the visitor chose: system, light or dark."""
    chosen = st.session_state.get(THEME_KEY)
    return chosen if chosen in THEMES else "system"


def restore_choices(services: Services) -> None:
    """Take up the language and the colours that the visitor chose last time."""
    owner = visitor().owner
    for key, options in ((LANGUAGE_KEY, LANGUAGES), (THEME_KEY, THEMES)):
        if key not in st.session_state:
            kept = services.store.read(partial(preferences.get, owner=owner, name=key))
            st.session_state[key] = kept if kept in options else None


def _choice(services: Services, key: str, label: str, options: dict[str, Any], chosen: str) -> None:
    widget = f"{key}_choice"
    # With each run: a browser knows a choice by its words only, and would keep those of the language it was made in.
    st.session_state[widget] = chosen
    st.radio(
        label,
        list(options),
        format_func=options.__getitem__,
        key=widget,
        horizontal=True,
        on_change=_choose,
        args=(services, key, widget),
        persist_state="session",
    )


def _choose(services: Services, key: str, widget: str) -> None:
    owner, chosen = visitor().owner, st.session_state[widget]
    st.session_state[key] = chosen
    services.store.write(lambda db: preferences.put(db, owner, key, chosen))

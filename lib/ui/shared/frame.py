"""What stands around every page: language, notices, and whether anything can be saved."""

from contextlib import nullcontext
from typing import Any

import streamlit as st

from lib.services import Services
from lib.ui.shared.backup import backup_section
from lib.ui.shared.connection import connection_button
from lib.ui.shared.error_box import error_box
from lib.ui.shared.markdown import rendered
from lib.ui.shared.state import state
from lib.ui.shared.texts import LANGUAGE_KEY, LANGUAGES, _, language
from lib.ui.shared.visitor import Visitor, visitor
from lib.visitor import preferences


def transient(shown: object) -> Any:
    """A place for what comes and goes. When nothing is `shown` its former contents go at once; elsewhere they stay,
    greyed, until the script ends, and that is when the answer does."""
    place = st.empty()
    return place.container() if shown else nullcontext()


def notices() -> None:
    """The sentences that wait to be said."""
    for notice in state.notices:
        st.info(rendered(notice), icon=":material/info:")
    state.notices.clear()


def store_warning(services: Services) -> None:
    """Says so when nothing can be saved, and what opening the database had to change or to mend."""
    if services.store_trouble is not None:
        error_box(services.store_trouble)
    sentence = " ".join(filter(None, [services.store.notice, services.store.upgraded.sentence(_)]))
    if sentence and not st.session_state.get("store_notice_read"):
        st.info(rendered(sentence), icon=":material/info:")
        st.button(_("I have read this"), key="store_notice_button", on_click=_notice_read)


def top(services: Services, visitor: Visitor) -> None:
    """The right end of a page's first line: the connection and the menu."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        connection_button(services, visitor)
        menu(services)


def menu(services: Services) -> None:
    """The `...` of every page."""
    with st.popover("", icon=":material/more_horiz:", key="menu", help=_("Language, backup and more")):
        st.session_state.setdefault("language_choice", language())
        st.radio(
            _("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key="language_choice",
            on_change=_choose_language,
            args=(services,),
            persist_state="session",
        )
        st.caption(_("Light or dark follows your system."))
        st.divider()
        backup_section(services)


def restore_language(services: Services) -> None:
    """Take up the language that the visitor chose last time."""
    if LANGUAGE_KEY not in st.session_state:
        owner = visitor().owner
        kept = services.store.read(lambda db: preferences.get(db, owner, LANGUAGE_KEY))
        st.session_state[LANGUAGE_KEY] = kept


def _notice_read() -> None:
    st.session_state["store_notice_read"] = True


def _choose_language(services: Services) -> None:
    owner, chosen = visitor().owner, st.session_state["language_choice"]
    st.session_state[LANGUAGE_KEY] = chosen
    services.store.write(lambda db: preferences.put(db, owner, LANGUAGE_KEY, chosen))

"""Chooses whose calls are shown, in which time zone, and what the page says before there are any."""

from zoneinfo import ZoneInfo

import streamlit as st

from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.usage import queries
from lib.usage.scope import Scope

SESSION, ALL = "session", "all"
SCOPES = {SESSION: N_("This session"), ALL: N_("All")}
KEY = "usage_scope"
CHAT = "../../pages/chat.py"


def chosen_scope(visitor: Visitor) -> Scope:
    """The calls of this browser session, or all of the visitor's."""
    st.session_state.setdefault(KEY, SESSION)
    chosen = st.segmented_control(
        _("Which calls"),
        list(SCOPES),
        format_func=lambda name: _(SCOPES[name]),
        key=KEY,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    return Scope(visitor.owner, None if chosen == ALL else visitor.session)


def viewer_zone() -> ZoneInfo:
    """The time zone of the visitor's browser; UTC where it names none that we know."""
    try:
        return ZoneInfo(str(st.context.timezone or "UTC"))
    except (ValueError, OSError, LookupError):  # what a browser calls its zone can be anything, a path included
        return ZoneInfo("UTC")


def nothing_yet(services: Services, visitor: Visitor, scope: Scope) -> None:
    """One sentence and one way on: to the history where there is one, else to Chat."""
    with st.container(key="usage_empty"):
        if scope.session and services.store.read(lambda db: queries.any_call(db, Scope(visitor.owner))):
            st.subheader(_("No model was asked in this session yet."), anchor=False)
            st.button(_("Show all my calls"), key="usage_show_all", type="primary", on_click=_show_all)
            return
        st.subheader(_("Ask a model something, and what it used is shown here."), anchor=False)
        if st.button(_("Ask something in Chat"), key="usage_to_chat", type="primary"):
            st.switch_page(CHAT)


def _show_all() -> None:
    st.session_state[KEY] = ALL

"""What every page has around it: the bar, notices, and the warning that nothing can be saved."""

from collections.abc import Sequence
from contextlib import nullcontext

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from lib.core.errors import StoreError, StoreReplaced
from lib.services import Services
from lib.ui.shared.budget_dialog import budget_dialog
from lib.ui.shared.connection import connection_button
from lib.ui.shared.dates import viewer_zone
from lib.ui.shared.error_box import error_box
from lib.ui.shared.markdown import Container
from lib.ui.shared.menu import menu
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_sentence
from lib.ui.shared.visitor import visitor


def transient(shown: object) -> Container:
    """A place for what comes and goes. When nothing is `shown` its former contents go at once; elsewhere they stay,
    greyed, until the run has ended."""
    empty = st.empty()
    return empty.container() if shown else nullcontext()


def notices() -> list[str]:
    """The sentences that wait to be said. What comes back are those that were: a page that runs anew by itself, before
    anybody can have read them, has them said once more."""
    for one in state.pop_ups:
        st.toast(one.sentence, icon=one.icon, duration=one.stays)
    said, state.notices, state.pop_ups = state.notices, [], []
    if said:
        with st.container(key="notices"):
            for notice in said:
                st.info(notice, icon=":material/info:")
    return said


def store_warning(services: Services) -> None:
    """Says so when nothing can be saved, how much waits to be saved, and what had to be mended."""
    trouble = services.store_trouble or services.store.trouble
    waiting = services.dispatcher.outcomes.held_of(visitor().owner)
    if trouble is not None:
        error_box(trouble)
    if waiting and services.store_trouble is None:
        words = _n(
            "{count} answer waits to be saved; keep Tempera running until it is.",
            "{count} answers wait to be saved; keep Tempera running until they are.",
            waiting,
        )
        st.warning(words.format(count=waiting), icon=":material/save:")
    for notice in services.store.notices[state.read_notices :][:1]:
        _store_notice(notice)


def upgrade_notice(services: Services) -> None:
    """That the history was adapted to this version, until it is read; on each page where it is seen at once."""
    upgraded = services.store.upgraded.sentence(_)
    if upgraded and not state.upgrade_read:
        with st.container(key="store_upgraded", horizontal=True, vertical_alignment="center"):
            st.info(upgraded, icon=":material/info:")
            st.button(_("Understood"), key="store_upgraded_read", type="tertiary", on_click=_upgrade_read)


def _store_notice(notice: StoreError) -> None:
    """What had to be mended, until it is read."""
    with st.container(key="store_notice"):
        st.warning(error_sentence(notice), icon=":material/healing:")
        came_back = notice.owner_chats.get(visitor().owner, ()) if isinstance(notice, StoreReplaced) else ()
        if came_back:
            words = _n("{count} chat came back", "{count} chats came back", len(came_back))
            with st.expander(words.format(count=len(came_back)), type="compact"):
                st.text("\n".join(title or _("Untitled") for title in came_back))
        st.button(_("Understood"), key="store_notice_read", type="tertiary", on_click=_notice_read)


def _notice_read() -> None:
    state.read_notices += 1


def bar(services: Services, pages: Sequence[StreamlitPage]) -> None:
    """The bar across the top of every page: the pages, the connection, and the menu."""
    state.page_is_due = False
    who = visitor()
    services.budgets.seen_in(who.owner, viewer_zone())
    with st.container(key="frame", horizontal=True, vertical_alignment="center", gap="small"):
        for page in pages:
            st.page_link(page, width="content")
        st.space("stretch")
        connection_button(services, who)
        menu(services)
    budget_dialog(services, who)


def _upgrade_read() -> None:
    state.upgrade_read = True

"""A link under which anybody reads one chat or one sweep: how it is made, listed and taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from lib.access import shared_links
from lib.access.shared_links import DAYS, Kind, SharedLink
from lib.core.errors import TemperaError
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.gateway.addresses import is_loopback
from lib.services import Services
from lib.ui.shared.dates import short_date
from lib.ui.shared.shared_pages import SHARED
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_message
from lib.ui.shared.visitor import visitor

LINKS = "links"
KINDS = {"chat": N_("Chat"), "sweep": N_("Sweep")}
WEEK = 7


@dataclass(frozen=True, slots=True)
class Shareable:
    """A chat or a sweep of the visitor's; `page` writes what the link will show, `shows` says what that is."""

    kind: Kind
    id: str
    title: str
    shows: Sequence[str]
    page: Callable[[], bytes]


def share_link(services: Services, thing: Shareable) -> None:
    """What a link would show and for how long, the button that makes one, and those that there are."""
    st.caption(_("Whoever has the link can read this, without signing in, and nothing else:"))
    st.caption("\n".join(f"- {line}" for line in (*thing.shows, _("as it is now; what comes later is not shown"))))
    key = f"{thing.kind}_link_days"
    st.segmented_control(_("The link ends after"), DAYS, format_func=_days, default=WEEK, required=True, key=key)
    st.button(
        _("Make a link"),
        key=f"{thing.kind}_link_make",
        icon=":material/link:",
        on_click=_make,
        args=(services, thing, key),
    )
    if state.fresh_link is not None and state.fresh_link[0] == thing.id:
        _fresh(state.fresh_link[1])
    mine = [link for link in _links(services) if link.thing == thing.id]
    if mine:
        _list(services, mine, f"{thing.kind}_link")


def links_button() -> None:
    """Opens the dialog with all links."""
    words, opens = _("Links that you have shared"), state.open_page_dialog
    st.button(words, key="links_open", type="tertiary", icon=":material/link:", on_click=opens, args=(LINKS,))


def links_dialog(services: Services) -> None:
    """The dialog, while it is open."""
    if state.page_dialog == LINKS:
        st.dialog(_("Links that you have shared"), on_dismiss=state.close_dialogs)(_body)(services)


def _body(services: Services) -> None:
    links = _links(services)
    if not links:
        st.markdown(_("There is none. A chat's menu in the list, and a sweep's report, make one."))
        return
    st.caption(_("Each shows one chat or one sweep to whoever has it. Their addresses are not kept, only a hash."))
    _list(services, links, "links", named=True)


def _links(services: Services) -> list[SharedLink]:
    owner = visitor().owner
    return services.store.read(lambda db: shared_links.links_of(db, owner))


def _list(services: Services, links: Sequence[SharedLink], name: str, named: bool = False) -> None:
    for link in links:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                if named:
                    st.markdown(f"**{literal(link.title) or _('Untitled')}** · {_(KINDS[link.kind])}")
                made, ends = short_date(link.made_at), short_date(link.ends_at)
                st.caption(_("made {made}, ends {ends}").format(made=made, ends=ends))
            st.button(
                _("Take back"), key=f"{name}_revoke_{link.id}", on_click=_revoke, args=(services, link), type="tertiary"
            )


def _fresh(token: str) -> None:
    """A link that was just made: it can be shown this once."""
    address = _address(token)
    st.caption(_("Copy it now: it is not kept, and can't be shown again."))
    st.code(address, language=None, wrap_lines=True)
    if is_loopback(address):
        st.caption(_("Its address is this computer's own, so it works only here."))
    else:
        st.caption(_("It works for who can reach {host}.").format(host=literal(urlsplit(address).netloc)))


def _address(token: str) -> str:
    page = urlsplit(st.context.url if isinstance(st.context.url, str) else "http://localhost")
    return f"{page.scheme}://{page.netloc}{SHARED}{token}"


def _days(days: int) -> str:
    return _n("{days} day", "{days} days", days).format(days=days)


def _make(services: Services, thing: Shareable, key: str) -> None:
    owner, days = visitor().owner, st.session_state[key]
    if not services.may_share_links or days not in DAYS:
        return
    try:
        page = thing.page().decode()
        made = services.store.write(
            lambda db: shared_links.make(db, owner, thing.kind, thing.id, thing.title, page, days)
        ).result()
    except TemperaError as refused:
        state.notices.append(error_message(refused))
        return
    state.fresh_link = None if made is None else (thing.id, made)


def _revoke(services: Services, link: SharedLink) -> None:
    owner = visitor().owner
    try:
        services.store.write(lambda db: shared_links.revoke(db, owner, link.id)).result()
    except TemperaError as refused:
        state.notices.append(error_message(refused))
        return
    if state.fresh_link is not None and state.fresh_link[0] == link.thing:
        state.fresh_link = None

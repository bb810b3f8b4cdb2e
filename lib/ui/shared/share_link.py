"""A link under which anybody reads one chat or one sweep: how it is made, listed and taken back."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from lib.access import shared_links
from lib.access.shared_links import DAYS, SharedLink
from lib.core.errors import TemperaError
from lib.core.file_names import file_name
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.gateway.addresses import is_loopback
from lib.services import Services
from lib.ui.shared.dates import short_date
from lib.ui.shared.error_box import error_box
from lib.ui.shared.links import page_address
from lib.ui.shared.saved_file import saved, saved_line
from lib.ui.shared.shared_pages import SHARED
from lib.ui.shared.state import Shareable, state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor

KINDS = {"chat": N_("Chat"), "sweep": N_("Sweep")}
WEEK = 7


def share_dialog(services: Services) -> None:
    """The dialog for what is being shared, while it is open."""
    if state.sharing is not None:
        st.dialog(_("Share for reading"), on_dismiss=state.close_dialogs)(_share)(services, state.sharing)


def open_share(thing: Shareable) -> None:
    """Let the page's next run open the dialog that shares `thing`."""
    state.sharing, state.not_shared = thing, None


def _share(services: Services, thing: Shareable) -> None:
    """What a link would show, where it opens and for how long, the button that makes one, and those that there are."""
    st.markdown(f"**{literal(thing.title) or _('Untitled')}**")
    lines = (*thing.shows, _("as it is now; what comes later is not shown"))
    whole = [_("Whoever has the link can read this, without signing in, and nothing else:"), *lines]
    st.caption("\n- ".join(whole))
    only_here = is_loopback(_our_address())
    st.info(_where_it_opens(), icon=":material/public_off:" if only_here else ":material/public:")
    _link_or_file(services, thing, prefer_file=only_here)
    saved_line()
    _refusal()
    if state.fresh_link is not None and state.fresh_link[0] == thing.id:
        st.caption(_("Copy it now: it is not kept, and can't be shown again."))
        with st.container(key="fresh_link"):
            st.code(f"{_our_address()}{SHARED}{state.fresh_link[1]}", language=None, wrap_lines=True)
    mine = [link for link in _links(services) if link.thing == thing.id]
    if mine:
        _list(services, mine, f"{thing.kind}_link")


def _link_or_file(services: Services, thing: Shareable, prefer_file: bool) -> None:
    key = f"{thing.kind}_link_days"
    st.segmented_control(_("The link ends after"), DAYS, format_func=_days, default=WEEK, required=True, key=key)
    with st.container(horizontal=True):
        st.button(
            _("Make a link"),
            key=f"{thing.kind}_link_make",
            type="secondary" if prefer_file else "primary",
            icon=":material/link:",
            on_click=_make,
            args=(services, thing, key),
        )
        st.download_button(
            _("Save as a web page (HTML)"),
            thing.page,  # made on the click, not with every rerun
            file_name=file_name(thing.title, "html", thing.kind),
            mime="text/html",
            key=f"{thing.kind}_link_file",
            type="primary" if prefer_file else "secondary",
            icon=":material/download:",
            on_click=saved,
        )


def links_dialog(services: Services) -> None:
    """All links of the visitor's, each with what takes it back."""
    links = _links(services)
    _refusal()
    if not links:
        st.markdown(_("There is none. The arrow above a chat, its menu in the list, and a sweep's report make one."))
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


def _where_it_opens() -> str:
    page = _our_address()
    if is_loopback(page):
        words = _(
            "Its address, {host}, is this computer's own: the link opens only here, and only while Tempera runs. To "
            "show it to other people, save it as a file instead."
        )
    else:
        words = _("It opens for whoever can reach {host}, as long as Tempera runs there.")
    return words.format(host=literal(urlsplit(page).netloc))


def _our_address() -> str:
    """The address at which this browser has found us."""
    page = urlsplit(page_address() or "http://localhost")
    return f"{page.scheme}://{page.netloc}"


def _refusal() -> None:
    if state.not_shared is not None:
        error_box(state.not_shared)


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
        state.not_shared = refused
        return
    state.not_shared = None
    state.fresh_link = None if made is None else (thing.id, made)


def _revoke(services: Services, link: SharedLink) -> None:
    owner = visitor().owner
    try:
        services.store.write(lambda db: shared_links.revoke(db, owner, link.id)).result()
    except TemperaError as refused:
        state.not_shared = refused
        return
    state.not_shared = None
    if state.fresh_link is not None and state.fresh_link[0] == link.thing:
        state.fresh_link = None

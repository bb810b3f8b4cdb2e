"""What stands under a turn: its versions, its figures, and what can be done with it."""

import streamlit as st

from lib import learned
from lib.calls import CallRecord
from lib.chats import Turn
from lib.talks import missing
from lib.ui import talk
from lib.ui.figures import details, summary
from lib.ui.safe import rendered
from lib.ui.texts import _
from lib.wire.addresses import host_of


def under_question(index: int, turn: Turn) -> None:
    """Its versions, and Edit."""
    with st.container(horizontal=True, gap="small"):
        if len(turn.versions) > 1:
            _versions(f"question_{index}", turn)
        st.button(
            _("Edit"),
            key=f"edit_{index}",
            type="tertiary",
            icon=":material/edit:",
            on_click=talk.edit,
            args=(turn,),
        )


def editor(turn: Turn) -> None:
    """The text of a question, to be changed and sent again; the old one stays as a version."""
    st.text_area(_("Your message"), turn.text, key=talk.EDITED, label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button(_("Send"), key="edit_send", type="primary", on_click=talk.say_instead, args=(turn,))
        st.button(_("Leave it as it was"), key="edit_cancel", type="tertiary", on_click=talk.leave_as_it_was)


def under_answer(number: int, turn: Turn, last: bool) -> None:
    """Its versions, what can be done with it, and its figures."""
    with st.container(horizontal=True, gap="small"):
        if len(turn.versions) > 1:
            _versions(str(number), turn)
        if last:
            st.button(
                _("Try again"),
                key="chat_regenerate",
                type="tertiary",
                icon=":material/refresh:",
                on_click=talk.try_again,
            )
        _copy(number, turn.text)
    if turn.call and turn.call.state != "started":
        _figures(number, turn.call)


def second_address(turn: Turn, call: CallRecord) -> None:
    """Where nothing was sent and the service has another address: a button, never a silent attempt."""
    other = talk.current().other_address(call)
    if other is not None:
        why = _("{service} is at {address} too and takes the same key there. Nothing has been sent yet.")
        st.button(
            _("Use the second address"),
            key="chat_second_address",
            icon=":material/alt_route:",
            help=why.format(service=other.title, address=host_of(other.base_url)),
            on_click=talk.use_second_address,
            args=(turn,),
        )


def not_as_asked(turn: Turn, call: CallRecord, last: bool) -> None:
    """What the service did not do: settings that were left out, versions that did not come."""
    for name in learned.left_out(call.params_asked, call.params_sent):
        st.caption(_("“{name}” was left out: this model does not take it.").format(name=name))
    lacking = missing(call)
    if not lacking:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        came = len(call.choices)
        st.caption(_("{came} of {asked} versions came.").format(came=came, asked=came + lacking))
        if last and turn.id == turn.versions[-1]:
            st.button(_("Fetch the rest"), key="chat_fetch_rest", on_click=talk.fetch_rest, args=(turn,))


def _figures(number: int, call: CallRecord) -> None:
    with st.expander(summary(call), key=f"figures_{number}", type="compact"):
        st.markdown("\n".join(f"- {name}: **{rendered(value)}**" for name, value in details(call)))


def _copy(number: int, text: str) -> None:
    """The text to the letter, as it came, with a button that copies it; sent to the browser only when opened."""
    opened = st.popover(
        _("Copy"), key=f"copy_{number}", icon=":material/content_copy:", on_change="rerun", type="tertiary"
    )
    if opened.open:
        with opened:
            st.code(text, language=None, wrap_lines=True)


def _versions(name: str, turn: Turn) -> None:
    """`< 2/3 >`: the versions of one turn."""
    at = turn.versions.index(turn.id)
    for label, key, to in (("‹", "back", at - 1), ("›", "on", at + 1)):
        inside = 0 <= to < len(turn.versions)
        if key == "on":
            st.caption(f"{at + 1}/{len(turn.versions)}")
        st.button(
            label,
            key=f"version_{key}_{name}",
            type="tertiary",
            disabled=not inside,
            help=_("Another version"),
            on_click=talk.choose_version,
            args=(turn.versions[to] if inside else turn.id,),
        )

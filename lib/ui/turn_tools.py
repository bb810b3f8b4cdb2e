"""What every turn has: its versions, an editor, its text to be copied, and a menu for what is rarely needed."""

from typing import Any

import streamlit as st

from lib.chats import Turn
from lib.ui import sweep_history, talk, turns
from lib.ui.share import share
from lib.ui.texts import _


def under_question(index: int, turn: Turn) -> None:
    """Its versions, Edit, and the menu."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        versions(f"question_{index}", turn)
        edit_button(f"edit_{index}", turn)
        more = menu(f"question_{index}")
        if more is not None:
            with more:
                share(turn)
                write_button(f"question_{index}")
                sweep_button(f"question_{index}", turn)
                delete_button(f"question_{index}", turn)


def editor(turn: Turn) -> None:
    """The text of a turn, to be changed: a question is sent again, an answer kept; the old one stays as a version."""
    st.text_area(_("Your message"), turn.text, key=talk.EDITED, label_visibility="collapsed")
    asks = turn.role == "user"
    done, label = (talk.say_instead, _("Send")) if asks else (turns.rewrite, _("Keep"))
    with st.container(horizontal=True):
        st.button(label, key="edit_send", type="primary", on_click=done, args=(turn,))
        st.button(_("Leave it as it was"), key="edit_cancel", type="tertiary", on_click=turns.leave_as_it_was)


def edit_button(key: str, turn: Turn) -> None:
    """Opens the editor."""
    st.button(_("Edit"), key=key, type="tertiary", icon=":material/edit:", on_click=turns.edit, args=(turn,))


def write_button(name: str) -> None:
    """Opens the editor for a further turn at the end."""
    words = _("Add a turn by hand")
    st.button(words, key=f"write_{name}", type="tertiary", icon=":material/add_comment:", on_click=turns.begin_writing)


def sweep_button(name: str, turn: Turn) -> None:
    """Takes the conversation up to the turn along to Sweep."""
    words, why_not = _("Open in Sweep"), sweep_history.why_not(turn)
    if st.button(
        words, key=f"sweep_{name}", type="tertiary", icon=":material/grid_view:", help=why_not, disabled=bool(why_not)
    ):
        sweep_history.take_along(turn)


def delete_button(name: str, turn: Turn) -> None:
    """Takes the turn out of the chat."""
    st.button(
        _("Delete"),
        key=f"delete_{name}",
        type="tertiary",
        icon=":material/delete:",
        on_click=turns.delete,
        args=(turn,),
    )


def menu(name: str) -> Any:
    """The `...` of a turn: where its contents go while it is open, else None. Closed menus cost nothing."""
    opened = st.popover(
        "", key=f"more_{name}", icon=":material/more_horiz:", type="tertiary", on_change="rerun", help=_("More")
    )
    return opened if opened.open else None


def copy(number: int, text: str) -> None:
    """The text to the letter, as it came, with a button that copies it; sent to the browser only when opened."""
    opened = st.popover(
        _("Copy"), key=f"copy_{number}", icon=":material/content_copy:", on_change="rerun", type="tertiary"
    )
    if opened.open:
        with opened:
            st.code(text, language=None, wrap_lines=True)


def versions(name: str, turn: Turn) -> None:
    """`< 2/3 >`: the versions of one turn, where it has several."""
    if len(turn.versions) < 2:
        return
    at = turn.versions.index(turn.id)
    for label, key, to in (("‹", "back", at - 1), ("›", "on", at + 1)):
        inside = 0 <= to < len(turn.versions)
        if key == "on":
            st.caption(f"{at + 1}/{len(turn.versions)}", width="content")
        st.button(
            label,
            key=f"version_{key}_{name}",
            type="tertiary",
            disabled=not inside,
            help=_("Another version"),
            on_click=turns.choose_version,
            args=(turn.versions[to] if inside else turn.id,),
        )

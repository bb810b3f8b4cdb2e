"""The toolbar of a question, and the versions of a turn, which stand under an answer too."""

import streamlit as st

from lib.chat.repository import Turn
from lib.ui.chat import edit_actions
from lib.ui.chat.message_menu import panel, question_menu
from lib.ui.shared.texts import _


def under_question(index: int, turn: Turn) -> None:
    """Its versions, Edit, and the menu."""
    name = f"question_{index}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        versions(name, turn)
        st.button(
            _("Edit"),
            key=f"edit_{index}",
            type="tertiary",
            icon=":material/edit:",
            on_click=edit_actions.edit,
            args=(turn,),
        )
        question_menu(name, turn)
    panel(name, turn)


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
            on_click=edit_actions.choose_version,
            args=(turn.versions[to] if inside else turn.id,),
        )

"""The visitor's chats in the sidebar."""

import streamlit as st

from lib import chats
from lib.house import House
from lib.ui import talk
from lib.ui.safe import plain
from lib.ui.state import state
from lib.ui.texts import _
from lib.ui.visitor import Visitor

SHOWN = 100


def chat_list(house: House, visitor: Visitor) -> None:
    """New chat, and the old ones, the newest first."""
    found = house.store.read(lambda db: chats.chats_of(db, visitor.owner))
    with st.sidebar:
        st.button(_("New chat"), key="chat_new", icon=":material/add:", on_click=talk.new, width="stretch")
        for chat in found[:SHOWN]:
            st.button(
                plain(chat.title) or _("Untitled"),
                key=f"chat_open_{chat.id}",
                type="secondary" if chat.id == state.chat_id else "tertiary",
                on_click=talk.open_chat,
                args=(chat.id,),
                width="stretch",
            )

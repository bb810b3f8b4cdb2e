"""Shows the stored images of a conversation, and those that wait to be sent. No image is ever fetched from
elsewhere."""

from base64 import b64decode
from collections.abc import Sequence

import streamlit as st

from lib.ui.chat import open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.texts import _

WIDTH = 220
SMALL = 72


def message_images(ids: Sequence[str]) -> None:
    """The images of a message."""
    if ids:
        with st.container(horizontal=True, gap="small"):
            for url in open_chat.current().images(ids):
                _picture(url, WIDTH)


def images_to_send() -> None:
    """Images that wait for the next message, each with a button that takes it away."""
    if not chat_state.images:
        return
    with st.container(key="chat_images", horizontal=True, vertical_alignment="center", gap="small"):
        for index, url in enumerate(chat_state.images):
            _picture(url, SMALL)
            st.button(
                "",
                key=f"chat_image_remove_{index}",
                type="tertiary",
                icon=":material/close:",
                help=_("Take this image away"),
                on_click=_take_away,
                args=(index,),
            )
        st.caption(_("Goes with the next message."))


def _take_away(index: int) -> None:
    del chat_state.images[index]


def _picture(url: str, width: int) -> None:
    try:
        st.image(b64decode(url.partition(",")[2]), width=width)
    except (OSError, ValueError, SyntaxError):
        st.caption(_("An image that can't be shown here."))

"""Shows the texts that went with a message, folded, and those that wait to be sent."""

from functools import partial

import streamlit as st

from lib.chat.attachments import LONG, Attachment
from lib.core.rich_text import literal
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.markdown import to_the_letter, typed
from lib.ui.shared.texts import _

MOST_SHOWN = 20_000
"""Characters of one attachment on the page; the whole of it is a click away."""
BEGINNING = 600


def message_attachments(name: str, attachments: tuple[Attachment, ...]) -> None:
    """The attachments of a message, each closed; `name` keeps those of two messages apart."""
    for index, one in enumerate(attachments):
        key = f"attachment_{name}_{index}"
        with st.expander(_label(one), key=key, type="compact", icon=":material/attach_file:"):
            height = 400 if len(one.text) > LONG else None
            to_the_letter(st, one.text[:MOST_SHOWN], wrap_lines=True, height=height)
            if len(one.text) > MOST_SHOWN:
                st.caption(_("The first {count:,} characters.").format(count=MOST_SHOWN))
            st.download_button(
                _("Save"),
                partial(str.encode, one.text, "utf-8", "replace"),
                file_name=one.name,
                mime="text/plain",
                key=f"{key}_save",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
            )


def own_words(text: str) -> None:
    """What was typed, as it was typed; a long text folded."""
    if len(text) <= LONG:
        typed(st, text)
        return
    typed(st, f"{text[:BEGINNING].rstrip()} …")
    with st.expander(_("All {count:,} characters").format(count=len(text)), type="compact"):
        typed(st, text)


def attachments_to_send() -> None:
    """Texts that wait for the next message, each with a button that takes it away."""
    if not chat_state.attachments:
        return
    with st.container(key="chat_attachments", horizontal=True, vertical_alignment="center", gap="small"):
        for index, one in enumerate(chat_state.attachments):
            st.button(
                _label(one),
                key=f"chat_attachment_remove_{index}",
                icon=":material/close:",
                help=_("Take this file away"),
                on_click=_take_away,
                args=(index,),
            )
        st.caption(_("Goes with the next message."))


def _take_away(index: int) -> None:
    del chat_state.attachments[index]


def _label(attachment: Attachment) -> str:
    size = _("{count:,} characters").format(count=len(attachment.text))
    return f"{literal(attachment.name)} · {size}"

"""Dialog with what the pages are for, the keys, and what Tempera is."""

import streamlit as st

from lib.chat.form import MOST_BESIDE
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.texts import _

PAGES = (
    (
        N_("Chat"),
        N_("Talk to one model, or to up to {most} side by side. Every message can be edited and tried again."),
    ),
    (N_("Sweep"), N_("Ask several models the same at several temperatures and compare the answers.")),
    (N_("Usage"), N_("What all of it used: tokens, times and costs.")),
)
KEYS = (
    ("Enter", N_("send the message")),
    ("Shift + Enter", N_("a new line")),
    ("Esc", N_("stop the answer")),
    ("Ctrl / ⌘ + ↑", N_("edit the last message")),
    ("Ctrl / ⌘ + K", N_("connect a service")),
)
TOUCH = (
    N_("The arrow in the field sends the message; “Stop”, above the field, ends an answer."),
    N_("The two arrows at the top left open the list of your chats, and of your sweeps."),
    N_("“More” under a message opens what else can be done with it."),
    N_("“Done”, or a press beside them, closes the settings."),
)


def help_dialog(_services: Services) -> None:
    """The pages, the keys or what fingers do instead, and what this is."""
    st.markdown("\n".join(f"- **{_(page)}**: {_(words).format(most=MOST_BESIDE)}" for page, words in PAGES))
    # The styles show one of the two: where fingers press there are no keys.
    with st.container(key="help_keys"):
        st.markdown(f"**{_('Keys')}**")
        st.markdown("\n".join(f"- `{keys}`: {_(words)}" for keys, words in KEYS))
    with st.container(key="help_touch"):
        st.markdown(f"**{_('On a phone')}**")
        st.markdown("\n".join(f"- {_(words)}" for words in TOUCH))
    st.markdown(f"**{_('About')}**")
    st.markdown(
        _(
            "Tempera tries out chat models through OpenAI's Chat Completions. It is free software (MIT licence) and "
            "sends nothing anywhere but to the service you chose."
        )
    )

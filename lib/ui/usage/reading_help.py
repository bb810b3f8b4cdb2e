"""The sidebar of Usage: how its figures are to be read, and the switch to sample data."""

import streamlit as st

from lib.core.i18n import N_
from lib.ui.shared.texts import _
from lib.ui.usage.sample import switch

WORDS = (
    (N_("Tokens"), N_("As the service counted them; where it did not, counted here and called an estimate.")),
    (N_("Cost"), N_("As the service reports it, else at list prices. Without a price it is left out, never 0.")),
    (N_("Free"), N_("What runs on this computer, and models that are free where they were asked.")),
    (N_("Not known"), N_("Nothing tells what was used. Sums leave it out, and say so.")),
)


def reading_help() -> None:
    """A few words for each kind of figure."""
    with st.sidebar.container(key="usage_help"):
        st.markdown(f"**{_('How to read this')}**")
        for name, words in WORDS:
            st.caption(f"**{_(name)}**  \n{_(words)}")
        switch()

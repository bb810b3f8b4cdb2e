"""The button *Set its price*, wherever “no price” stands: it opens the table of prices on the Usage page."""

from collections.abc import Sequence

import streamlit as st

from lib.ui.shared.other_pages import USAGE_PAGE
from lib.ui.shared.state import state
from lib.ui.shared.texts import _n

USAGE = "usage"
"""The page's place in the address."""


def set_price_button(names: Sequence[tuple[str, str]], place: str) -> None:
    """Opens the table with these models, by service and id; nothing where there are none. `place` keeps two of them
    apart."""
    if not names:
        return
    label, icon = _n("Set its price", "Set their prices", len(names)), ":material/sell:"
    if st.button(label, key=f"{place}_set_price", type="tertiary", icon=icon):
        open_prices(names)
        if state.page == USAGE:
            st.rerun()
        st.switch_page(USAGE_PAGE)


def open_prices(names: Sequence[tuple[str, str]] = ()) -> None:
    """Let the usage page show its prices, those of `names` first; a callback on that page itself."""
    state.close_dialogs()
    state.to_price, state.usage_section = list(names), "bill"

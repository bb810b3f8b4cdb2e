"""The column with the models' names, which stays in sight in each table of Usage."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.ui.shared.texts import _

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

PHONE, MOST = 134, 360
"""Pixels. With a row's button before it, it may have no more than six tenths of a phone's 390 pixels: Streamlit lets it
scroll away otherwise."""
LETTER, PADDING = 7.2, 20
"""About how many pixels a letter takes, and what is beside a text in its cell."""


def model_column(names: Iterable[str]) -> Any:
    """As wide as the longest name, as far as there is room: nothing tells how wide a table is, but phones say that they
    are phones."""
    longest = max((len(name) for name in names), default=0)
    width = PHONE if _on_a_phone() else min(max(round(longest * LETTER) + PADDING, PHONE), MOST)
    return st.column_config.TextColumn(_("Model"), width=width, pinned=True)


def with_dark_names(table: "Styler") -> "Styler":
    """The table with its models' names in the strongest colour: Streamlit draws a pinned column at six tenths of its
    strength, and names in the page's own colour would look like what can't be used."""
    strongest = "#ffffff" if st.context.theme.type == "dark" else "#000000"
    return table.set_properties(subset=["model"], color=strongest)


def _on_a_phone() -> bool:
    # What browsers are asked to write for this: https://developer.mozilla.org/docs/Web/HTTP/Browser_detection
    return "Mobi" in (st.context.headers.get("User-Agent") or "")

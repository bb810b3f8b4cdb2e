"""Parts of a page that run by themselves when something in them is pressed, or every so often."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from lib.ui.shared.state import state

Given = ParamSpec("Given")


def page_part(draw: Callable[Given, None], run_every: float | None = None) -> Callable[Given, None]:
    """What `draw` draws, as a part of the page. Where a press in it opened a dialog, or was refused with a sentence,
    the whole page runs: both are drawn outside of the part."""
    alone = False

    @wraps(draw)
    def drawn(*given: Given.args, **named: Given.kwargs) -> None:
        nonlocal alone
        if alone and state.page_is_due:
            st.rerun()
        alone = True  # from now on: the first time it is drawn with the page
        draw(*given, **named)

    return st.fragment(drawn, run_every=run_every)

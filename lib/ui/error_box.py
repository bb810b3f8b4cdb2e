"""Shows what went wrong: a sentence for people, the service's own text folded under it."""

import streamlit as st

from lib.errors import TemperaError
from lib.ui.safe import rendered
from lib.ui.texts import _, said


def error_box(error: TemperaError) -> None:
    """What happened and what to do; the original text only on demand, and to the letter."""
    st.error(rendered(said(error)), icon=":material/error:")
    if error.original:
        with st.expander(_("What the service said"), type="compact"):
            st.code(error.original, language=None, wrap_lines=True)

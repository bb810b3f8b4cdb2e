"""The settings of the chat page: presets, what matters first, and the rest under More."""

import streamlit as st

from lib.services import Services
from lib.ui.chat.presets import preset_row
from lib.ui.shared import controls, unsupported_params
from lib.ui.shared.visitor import Visitor


def settings_panel(services: Services, visitor: Visitor, prefix: str) -> None:
    """One closed panel; its heading says what is set."""
    chosen = unsupported_params.chosen(services, visitor.owner, st.session_state.get(f"{prefix}_model") or "")
    with st.expander(controls.label(prefix, chosen), key=f"{prefix}_settings", icon=":material/tune:"):
        preset_row(services, visitor, prefix)
        controls.basics(prefix, chosen)
        controls.extra(prefix, chosen)

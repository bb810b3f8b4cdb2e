"""The settings of the chat page: presets, what matters first, and the rest under More."""

import streamlit as st

from lib.services import Services
from lib.ui.chat.presets import preset_row
from lib.ui.shared import controls, unsupported_params
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor


def settings_panel(services: Services, visitor: Visitor, prefix: str) -> None:
    """One closed panel, and beside it what is set. Its widgets are drawn while it is open: a browser needs as long for
    them as for a screen of answers."""
    chosen = unsupported_params.chosen(services, visitor.owner, st.session_state.get(f"{prefix}_model") or "")
    # The label never changes: Streamlit takes an expander with another one for a new one, which is closed.
    with st.expander(_("Settings"), key=f"{prefix}_settings", icon=":material/tune:", on_change="rerun") as panel:
        if panel.open:
            preset_row(services, visitor, prefix)
            controls.basics(prefix, chosen)
            controls.extra(prefix, chosen)
    changes = controls.changes(prefix, chosen)
    if changes:
        with st.container(key=f"{prefix}_changes", width="content"):
            st.caption(changes)

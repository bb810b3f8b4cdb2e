"""Sweep: one prompt across models and temperatures."""

import streamlit as st

from lib.ui import links, recall, resources
from lib.ui.connection import connection_button
from lib.ui.frame import menu, notices
from lib.ui.state import state
from lib.ui.sweep_form import plan_line, run_button, sweep_form
from lib.ui.sweep_list import sweep_list
from lib.ui.sweep_view import sweep_view
from lib.ui.texts import _
from lib.ui.visitor import visitor

house, who = resources.house(), visitor()
recall.recall(house, who, recall.SWEEP)
links.apply_sweep_link()
sweep_list(house, who)

left, middle, right = st.columns([6, 3, 1], vertical_alignment="center")
left.markdown(f"**{_('Sweep')}** · {_('compare models and settings')}")
with middle:
    connection_button(house, who)
with right:
    menu(house)
notices()

with st.expander(_("Set-up"), expanded=state.sweep_id is None, key="sweep_setup"):
    sweep_form(house, who)
    plan_line(house, who)
    run_button()
recall.remember(house, who, recall.SWEEP)
if state.sweep_id is not None:
    sweep_view(house, who, state.sweep_id)

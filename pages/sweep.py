"""Sweep: one prompt across models and temperatures."""

import streamlit as st

from lib.ui import links, recall, resources
from lib.ui.frame import notices, top
from lib.ui.state import state
from lib.ui.sweep_form import plan_line, run_button, sweep_form
from lib.ui.sweep_list import sweep_list
from lib.ui.sweep_view import sweep_view
from lib.ui.texts import _
from lib.ui.visitor import visitor

st.set_page_config(layout="wide")
house, who = resources.house(), visitor()
recall.recall(house, who, recall.SWEEP)
links.apply_sweep_link()
sweep_list(house, who)

left, right = st.columns([3, 2], vertical_alignment="center")
left.markdown(f"**{_('Sweep')}** · {_('compare models and settings')}")
with right:
    top(house, who)
notices()

with st.expander(_("Set-up"), expanded=state.sweep_id is None, key=f"sweep_setup_{state.sweep_id}"):
    sweep_form(house, who)
    plan_line(house, who)
    run_button()
recall.remember(house, who, recall.SWEEP)
if state.sweep_id is not None:
    sweep_view(house, who, state.sweep_id)

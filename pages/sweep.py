"""Sweep: one prompt across models and temperatures."""

import streamlit as st

from lib.ui.shared import resources, session_restore
from lib.ui.shared.budgets import budget_line
from lib.ui.shared.frame import notices, upgrade_notice
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import links
from lib.ui.sweep.answers import warm_up
from lib.ui.sweep.form import place, sweep_form
from lib.ui.sweep.heading import heading, title
from lib.ui.sweep.hidden_names import hidden, instead
from lib.ui.sweep.launch import plan_line, price_button, run_button
from lib.ui.sweep.present import present
from lib.ui.sweep.prior_conversation import take_over_draft
from lib.ui.sweep.restore import SWEEP, restore_sweep
from lib.ui.sweep.share import share
from lib.ui.sweep.sweep_list import no_such_sweep, sweep_list
from lib.ui.sweep.sweep_state import sweep_state
from lib.ui.sweep.view import sweep_view

services, who = resources.services(), visitor()
restore_sweep(services, who)
take_over_draft()
links.apply_link()
if present():
    st.stop()
# Asked once: should it end meanwhile, all parts of the page are drawn anew together.
running = services.sweeps.is_running(who.owner, state.sweep_id)
sweep_list(services, who)

st.markdown(f"**{_('Sweep')}** · {title(services, who) or _('compare models and settings')}")
notices()
upgrade_notice(services)
budget_line(services, who, "sweep")
if sweep_state.missing_sweep and state.sweep_id is None:
    no_such_sweep()
# The answers are drawn before what stands above them: they are what a press on another sweep is waited for, and the
# form of that sweep is as much to draw.
setup = st.container()
if state.sweep_id is not None:
    sweep_view(services, who, state.sweep_id, running)
else:
    warm_up()
with (
    setup,
    st.expander(heading(services, who), expanded=state.sweep_id is None, key=place(state.sweep_id), on_change="rerun"),
):
    # The form names the models of the sweep that is judged below.
    if state.sweep_id is not None and hidden():
        instead("_setup")
    else:
        sweep_form(services, who)
        plan_line(services, who)
        with st.container(horizontal=True, vertical_alignment="center"):
            asked = run_button(services, who)
            if not asked:
                share()
                price_button(services, who)
session_restore.remember(services, who, SWEEP)

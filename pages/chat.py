"""Chat: talk to a model."""

import streamlit as st

from lib.ui import links, recall, resources, talk
from lib.ui.all_models import all_models
from lib.ui.by_hand import written_turn
from lib.ui.chat_list import chat_list
from lib.ui.composer import composer, send_waiting_message, waiting_message
from lib.ui.empty import empty_state
from lib.ui.frame import notices, passing, top
from lib.ui.further_models import further_models
from lib.ui.inspector import inspector
from lib.ui.live import follow
from lib.ui.messages import conversation
from lib.ui.picker import model_picker
from lib.ui.settings_panel import settings_panel
from lib.ui.state import state
from lib.ui.visitor import visitor

house, who = resources.house(), visitor()
recall.recall(house, who, recall.CHAT)
links.apply_chat_link()

view = talk.look(talk.current())
head = st.container()
live = conversation(view)  # drawn first: a message appears before all that stands around it
with head:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center", gap="small"):
        model_picker(house, who.owner, "chat_model")
        all_models(house, who.owner)
        further_models(house, who.owner)
    with right:
        top(house, who)
    settings_panel(house, who, "chat")
    with passing(state.notices or not view.turns):
        notices()
        if not view.turns:
            empty_state(house, who)
waiting_message()
written_turn()
composer(view)
chat_list(house, who)
recall.remember(house, who, recall.CHAT)
inspector(view)

follow(live, once=state.dialog_open)
if view.running and not state.dialog_open:
    send_waiting_message()
    st.rerun()

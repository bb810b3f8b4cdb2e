"""Chat: talk to a model."""

import streamlit as st

from lib.ui import controls, links, recall, resources, talk
from lib.ui.chat_list import chat_list
from lib.ui.composer import composer, send_waiting_message, waiting_message
from lib.ui.empty import empty_state
from lib.ui.frame import notices, top
from lib.ui.messages import conversation
from lib.ui.picker import model_picker
from lib.ui.texts import _
from lib.ui.visitor import visitor

house, who = resources.house(), visitor()
recall.recall(house, who, recall.CHAT)
links.apply_chat_link()
chat_list(house, who)

left, right = st.columns([3, 2], vertical_alignment="center")
with left:
    model_picker(house, who.owner, "chat_model")
with right:
    top(house, who)
with st.expander(_("Settings"), key="chat_settings", icon=":material/tune:"):
    controls.system_prompt("chat")
    controls.parameters("chat")
notices()

turns, running = talk.look(talk.current())
recall.remember(house, who, recall.CHAT)
if not turns:
    empty_state(house, who)
composer(running)
conversation(turns, running, waiting_message)
if running is not None:
    send_waiting_message()
    st.rerun()

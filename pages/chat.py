"""Chat: talk to a model."""

import streamlit as st

from lib.ui.chat import chat_settings, links, open_chat
from lib.ui.chat.all_models import all_models
from lib.ui.chat.answer_figures import figures_dialog
from lib.ui.chat.chat_list import chat_list
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.composer import composer, send_waiting_message, waiting_message
from lib.ui.chat.empty_state import empty_state, no_such_chat
from lib.ui.chat.inspector import inspector
from lib.ui.chat.live_answer import LiveAnswers, follow
from lib.ui.chat.messages import conversation
from lib.ui.chat.models_beside import models_beside
from lib.ui.chat.new_service import new_chat_offer
from lib.ui.chat.restore import CHAT, restore_chat
from lib.ui.chat.save_and_share import hand_on_menu, save_dialog
from lib.ui.chat.scrolling import tell_script
from lib.ui.chat.settings_panel import settings_panel
from lib.ui.chat.shown_turns import earlier_button
from lib.ui.chat.turn_editor import manual_turn
from lib.ui.shared import resources, session_restore
from lib.ui.shared.frame import notices, transient, upgrade_notice
from lib.ui.shared.model_picker import list_troubles, model_picker
from lib.ui.shared.state import state
from lib.ui.shared.visitor import visitor

services, who = resources.services(), visitor()
restore_chat(services, who)
links.apply_link()
open_chat.keep_unsaved()
open_chat.watch_temporary()

view = open_chat.open_view(open_chat.current())
if chat_state.live is not None and chat_state.live[0].over:
    # The page runs anew by itself: what it said is said once more.
    state.notices, state.connected_in = [*chat_state.live[1], *state.notices], chat_state.live[2]
tell_script(view)
# Drawn first, and the rest around it: a message appears before all else.
head = st.container(key="chat_head", horizontal=True, vertical_alignment="center", gap="small")
news, above = st.container(key="chat_notices"), st.container(key="chat_above")
live = conversation(view)
with head:
    model_picker(services, who.owner, "chat_model")
composer(view)
with head:
    all_models(services, who.owner)
    models_beside(services, who.owner)
    settings_panel(services, who, "chat", begins=not view.turns)
    hand_on_menu(view)
with news, transient(state.notices), st.container(horizontal=True, vertical_alignment="center"):
    said, offered = notices(), new_chat_offer(services, who)
with news:
    upgrade_notice(services)
with above:
    list_troubles(services, who.owner, "chat_model")
    with transient(chat_state.unsaved or not view.turns):
        open_chat.unsaved_warning()
        if chat_state.missing_chat and state.chat_id is None:
            no_such_chat()
        elif not view.turns and not chat_state.writing:
            empty_state(services, who)
    earlier_button(view.turns)
waiting_message()
manual_turn()
chat_list(services, who)
chat_settings.keep(open_chat.current())
session_restore.remember(services, who, CHAT)
inspector(view)
figures_dialog(view)
save_dialog()

answers = LiveAnswers(live)
chat_state.live = (answers, said, offered) if live else None
if live:
    follow(answers, covered=chat_state.dialog_open)
if chat_state.waiting is not None and not view.running and not chat_state.dialog_open:
    state.notices, state.connected_in = said, offered
    send_waiting_message()
    st.rerun()

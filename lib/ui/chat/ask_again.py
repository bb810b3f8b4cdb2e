"""The button that asks the last question once more with changed settings, beside the answer to be compared."""

from lib.chat.form import MOST_MODELS, Form
from lib.chat.repository import Turn
from lib.core.errors import InvalidInput
from lib.ui.chat import chat_settings, model_actions, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared.markdown import Container
from lib.ui.shared.state import state
from lib.ui.shared.texts import _


def ask_again_button(container: Container, view: ChatView) -> None:
    """Stands at the last answer while the page is set otherwise than what stands there was asked with."""
    turn = view.turns[-1]
    if view.running or turn.call is None or len(view.beside) >= MOST_MODELS:
        return
    try:
        form = chat_settings.read()
    except InvalidInput:
        return
    if form.others or _as_asked_last(form) or any(_would_ask_as(one, form) for one in view.beside):
        return
    words, key = _("Ask again with these settings"), "chat_ask_again"
    container.button(words, key=key, icon=":material/compare_arrows:", on_click=model_actions.ask_beside, args=(turn,))


def _as_asked_last(form: Form) -> bool:
    """Whether nothing was changed since this tab asked: by another model perhaps, chosen for one answer only."""
    return chat_state.asked_form == (state.chat_id, form)


def _would_ask_as(turn: Turn, form: Form) -> bool:
    """Whether an answer was asked for as `form` would ask now; a system prompt is known of this tab's questions."""
    chat_id, asked = chat_state.asked_form or (None, form)
    same_system = chat_id != state.chat_id or asked.system == form.system
    return same_system and open_chat.current().would_ask_as(turn, form)

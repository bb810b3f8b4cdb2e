"""The button that asks the last question once more with changed settings, beside the answer to be compared."""

from collections.abc import Mapping
from typing import Any

from lib.chat.form import MOST_MODELS, Form
from lib.chat.repository import Turn
from lib.core.errors import InvalidInput
from lib.gateway.endpoints import find
from lib.ui.chat import model_actions
from lib.ui.chat.model_actions import ChatView
from lib.ui.shared.state import state
from lib.ui.shared.texts import _

_NOT_COMPARED = ("stream", "user")
"""Fields that change how an answer is sent, not what is in it."""


def ask_again_button(place: Any, view: ChatView) -> None:
    """Stands at the last answer while the page is set otherwise than what stands there was asked with."""
    turn = view.turns[-1]
    if view.running or turn.call is None or len(view.beside) >= MOST_MODELS:
        return
    try:
        form = model_actions.form()
    except InvalidInput:
        return
    if form.others or any(_asked_so(one, form) for one in view.beside):
        return
    words, key = _("Ask again with these settings"), "chat_ask_again"
    place.button(words, key=key, icon=":material/compare_arrows:", on_click=model_actions.ask_beside, args=(turn,))


def _asked_so(turn: Turn, form: Form) -> bool:
    """Whether an answer was asked for as `form` would ask now; a system prompt is known of this tab's questions."""
    connected = model_actions.current().endpoints()
    if turn.call is None or not connected or not form.model.strip():
        return True
    endpoint, model = find(form.model.strip(), connected)
    chat_id, system = state.asked_system or (None, "")
    same_system = chat_id != state.chat_id or system == form.system
    same_model = (turn.call.endpoint, turn.call.model) == (endpoint.name, model)
    return same_model and same_system and _compared(turn.call.params_asked) == _compared(form.params.to_send())


def _compared(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in _NOT_COMPARED}

"""Opens a conversation in Sweep: its last question as the prompt, what came before as history."""

from lib.chat.repository import Turn
from lib.ui.chat import chat_settings, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.sweep_draft import open_sweep_with
from lib.ui.shared.texts import _


def why_not(turn: Turn) -> str | None:
    """Why the conversation up to `turn` can't be swept; None where it can."""
    if chat_state.temporary:
        return _("A sweep is kept; a temporary chat is not.")
    pictured = any(one.images for one in _up_to(turn))
    return _("A sweep sends text only; this conversation has images.") if pictured else None


def open_in_sweep(turn: Turn) -> None:
    """Open Sweep with the last question up to `turn` as its prompt, and what was said before as its history."""
    form = chat_settings.read()
    messages = open_chat.current().to_send(_up_to(turn))
    while messages and messages[-1].role != "user":
        messages.pop()
    prompt = messages.pop().content if messages else ""
    open_sweep_with(prompt, form.system, form.models, messages)


def _up_to(turn: Turn) -> list[Turn]:
    turns = open_chat.current().branch()
    at = next((index for index, one in enumerate(turns) if one.id == turn.id), len(turns) - 1)
    return turns[: at + 1]

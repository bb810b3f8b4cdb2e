"""Whether a talk's next message fits: what it takes of each model's context, and what would have to stay behind."""

from collections.abc import Sequence

from lib.chat import context_window
from lib.chat.context_window import Estimate
from lib.chat.conversation import Conversation
from lib.chat.form import Form
from lib.chat.repository import Turn
from lib.core import prices
from lib.core.contract import Message
from lib.gateway import endpoints
from lib.gateway.endpoints import Endpoint


def estimates(talk: Conversation, turns: Sequence[Turn], form: Form, text: str = "", images: int = 0) -> list[Estimate]:
    """What sending `text` with so many images after `turns` would take, for each model that is asked."""
    connected = talk.services.registry.endpoints(talk.owner)
    if not connected or not form.model.strip():
        return []
    messages = [*form.preface, *_plain(turns), *_new(text)]
    pictured = bool(images) or any(turn.images for turn in turns)
    found = [endpoints.find(model.strip(), connected) for model in form.models]
    return [
        context_window.estimate(model, window(endpoint, model), messages, form.params.max_tokens, pictured)
        for endpoint, model in found
    ]


def to_leave_out(talk: Conversation, turns: Sequence[Turn], form: Form, text: str) -> int | None:
    """How many of the oldest `turns` have to go so that `text` fits for every model of the form; None where nothing
    helps."""
    windows = [one.window for one in estimates(talk, turns, form, text) if one.window]
    rest = [*form.preface, *_new(text)]
    return context_window.to_leave_out(_plain(turns), rest, min(windows), form.params.max_tokens or 1) if windows else 0


def window(endpoint: Endpoint, model: str) -> int | None:
    """The context of a model in tokens, or None."""
    return endpoint.context_window or prices.context_window(model)


def _plain(turns: Sequence[Turn]) -> list[Message]:
    """Turns without their images, one message each."""
    return [Message(role=turn.role, content=turn.text) for turn in turns]


def _new(text: str) -> list[Message]:
    return [Message(role="user", content=text)] if text.strip() else []

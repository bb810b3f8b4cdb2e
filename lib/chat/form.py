"""The chat's settings as a value: models, system prompt, parameters."""

from dataclasses import dataclass

from lib.core.parameters import Params
from lib.core.request import Message

MOST_MODELS = 4


@dataclass(frozen=True, slots=True)
class Form:
    """What the page is set to: model (`endpoint/model id`), system prompt, parameters. `others` are further models
    that get the same turn; `leave_out` is how many of the oldest turns are not sent."""

    model: str
    system: str = ""
    params: Params = Params()
    others: tuple[str, ...] = ()
    leave_out: int = 0

    @property
    def models(self) -> tuple[str, ...]:
        """All models that are asked, each once."""
        return tuple(dict.fromkeys([self.model, *self.others]))[:MOST_MODELS]

    @property
    def preface(self) -> list[Message]:
        """What goes before the conversation: the system prompt, where there is one."""
        return [Message(role="system", content=self.system)] if self.system.strip() else []

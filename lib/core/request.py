"""A request to `POST /v1/chat/completions`: its messages, its body, and whom it is made for."""

import re
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.parameters import Params

Role = Literal["system", "user", "assistant"]
Page = Literal["chat", "sweep", "judge"]
MAX_PROMPT_CHARACTERS = 1_000_000
LONGEST_MODEL_ID = 300
"""Characters. The API has no limit; no known id is half as long."""
LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""The names under which services take the longest answer: the API's, and the one that newer models want."""
# They refuse max_tokens (“Use 'max_completion_tokens' instead”). Others get the old name: Ollama ignores the new one.
NEWER_MODELS = re.compile(r"o\d|gpt-5")


def names_of(field: str) -> tuple[str, ...]:
    """The names under which services take `field`: mostly the one."""
    return LIMIT_NAMES if field in LIMIT_NAMES else (field,)


class Message(BaseModel):
    """One turn: its text, and images as data URLs (`data:image/png;base64,..`)."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: str
    images: tuple[str, ...] = ()

    def to_send(self) -> dict[str, Any]:
        """The turn as the API has it: plain text, or a list of parts where there are images."""
        if not self.images:
            return {"role": self.role, "content": self.content}
        text = [{"type": "text", "text": self.content}] if self.content.strip() else []
        images = [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
        return {"role": self.role, "content": [*text, *images]}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request: the model's id at its endpoint, the conversation, and what the user set.

    `unsupported` are the names of fields that the model is known not to take; they are left out.
    """

    model: str
    messages: tuple[Message, ...]
    params: Params = Params()
    unsupported: frozenset[str] = frozenset()

    def checked(self) -> Self:
        """The request itself; raises InvalidInput when it is empty, too long or asks for too much to be sent."""
        last = self.messages[-1] if self.messages else None
        if last is None or not (last.content.strip() or last.images):
            raise InvalidInput(N_("The message is empty."))
        if sum(len(message.content) for message in self.messages) > MAX_PROMPT_CHARACTERS:
            raise InvalidInput(N_("The conversation is longer than {most:,} characters."), most=MAX_PROMPT_CHARACTERS)
        self.params.limited()
        return self

    def body(self) -> dict[str, Any]:
        """The JSON body, holding only what was set."""
        return {"model": self.model, "messages": [message.to_send() for message in self.messages], **self.params_sent}

    @property
    def params_sent(self) -> dict[str, Any]:
        """The parameters under the names, and only those, that the model takes; a stream also asks for its usage."""
        named = {self._name_for(name): value for name, value in self.params.to_send().items()}
        if named.get("stream") and "stream" not in self.unsupported:
            # Services report no usage of a stream unless asked for it.
            named["stream_options"] = {"include_usage": True}
        return {name: value for name, value in named.items() if name not in self.unsupported}

    def _name_for(self, name: str) -> str:
        if name not in LIMIT_NAMES:
            return name
        first, second = reversed(LIMIT_NAMES) if NEWER_MODELS.match(self.model) else LIMIT_NAMES
        return second if first in self.unsupported else first

    @property
    def choices(self) -> int:
        """How many completions are asked for."""
        return 1 if "n" in self.unsupported else self.params.n or 1


@dataclass(frozen=True, slots=True)
class Call:
    """A call about to be made, and for whom. Ids are random, 128 bits in hex."""

    id: str
    owner: str
    session: str
    page: Page
    endpoint: str
    request: ChatRequest
    cell_id: str | None = None
    temporary: bool = False
    chat_id: str | None = None
    sweep_id: str | None = None

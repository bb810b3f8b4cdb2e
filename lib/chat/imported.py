"""A chat from a file: a tree of turns, and what of it could not be taken."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from lib.chat.form import AS_IT_COMES, Form, usable_params
from lib.core.parameters import Params
from lib.core.request import LONGEST_MODEL_ID, Message

Loss = Literal["image", "part", "message", "setting", "empty", "large", "unreadable", "cut"]
"""What can't be taken: images that are not in the file or can't be sent, other parts of messages, messages of unknown
form, further fields of the settings, chats without a message, chats too large, chats of unknown form, and the end of a
file that is cut."""
Losses = Counter[Loss]


@dataclass(frozen=True, slots=True)
class MadeBy:
    """Who wrote an answer: the service's name, the model's id there, and the parameters it was asked with. What is not
    known is empty."""

    service: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Any) -> "MadeBy | None":
        """What stands in a row or a file under these names; None where no model is named."""
        if not isinstance(values, Mapping) or not isinstance(values.get("model"), str) or not values["model"].strip():
            return None
        service = values.get("service")
        settings = usable_params(values.get("settings")).to_send()
        return cls(_short(service) if isinstance(service, str) else "", _short(values["model"]), settings)

    def to_json(self) -> dict[str, Any]:
        """Itself as JSON values; `of` reads them."""
        return {"service": self.service, "model": self.model, "settings": dict(self.settings)}


def _short(name: str) -> str:
    return " ".join(name.split())[:LONGEST_MODEL_ID]


@dataclass(frozen=True, slots=True)
class ImportedTurn:
    """A message, the place of its parent in the chat's list of turns (None for one at the beginning), and who wrote
    it, where it is an answer and that is known."""

    message: Message
    parent: int | None
    created_at: int | None = None
    made_by: MadeBy | None = None


@dataclass(slots=True)
class ImportedChat:
    """Turns, each after its parent; `current` is the place of the open branch's last one. `system` is the standing
    prompt; `model`, `others` and `params` are what the chat is set to, as far as that is known. Times in microseconds
    since 1970 (UTC); None is "not known"."""

    title: str = ""
    system: str = ""
    model: str = ""
    others: tuple[str, ...] = ()
    params: Params = AS_IT_COMES
    turns: list[ImportedTurn] = field(default_factory=list)
    current: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    lost: Losses = field(default_factory=Counter)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Self:
        """A chat of one branch."""
        chat = cls()
        for message in messages:
            chat.add(message, chat.current)
        return chat

    def add(
        self, message: Message, parent: int | None, created_at: int | None = None, made_by: MadeBy | None = None
    ) -> int:
        """Add a turn and open it; its place."""
        self.turns.append(ImportedTurn(message, parent, created_at, made_by))
        self.current = len(self.turns) - 1
        return self.current

    @property
    def form(self) -> Form | None:
        """What the chat is set to; None where nothing of it is known."""
        form = Form(self.model, self.system, self.params, self.others)
        return None if form == Form(params=AS_IT_COMES) else form

    @property
    def branch(self) -> list[Message]:
        """The messages of the open branch, from the first to the last."""
        return [turn.message for turn in self.open_turns]

    @property
    def open_turns(self) -> list[ImportedTurn]:
        """The turns of the open branch, from the first to the last."""
        found, at = [], self.current
        while at is not None:
            found.append(self.turns[at])
            at = self.turns[at].parent
        return found[::-1]

"""A chat from a file: a tree of turns, and what of it could not be taken."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from lib.core.request import Message

Loss = Literal["image", "part", "message", "empty", "large", "unreadable", "cut"]
"""What can't be taken: images that are not in the file or can't be sent, other parts of messages, messages of unknown
form, chats without a message, chats too large, chats of unknown form, and the end of a file that is cut."""
Losses = Counter[Loss]


@dataclass(frozen=True, slots=True)
class ImportedTurn:
    """A message, and the place of its parent in the chat's list of turns; None for one at the beginning."""

    message: Message
    parent: int | None
    created_at: int | None = None


@dataclass(slots=True)
class ImportedChat:
    """Turns, each after its parent; `current` is the place of the open branch's last one. `system` is the standing
    prompt. Times in microseconds since 1970 (UTC); None is "not known"."""

    title: str = ""
    system: str = ""
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

    def add(self, message: Message, parent: int | None, created_at: int | None = None) -> int:
        """Add a turn and open it; its place."""
        self.turns.append(ImportedTurn(message, parent, created_at))
        self.current = len(self.turns) - 1
        return self.current

    def with_system_turn(self) -> "ImportedChat":
        """The chat with its standing prompt as the first turn, for where no page has a place for it."""
        if not self.system:
            return self
        chat = replace(self, system="", turns=[], current=None if self.current is None else self.current + 1)
        chat.turns.append(ImportedTurn(Message(role="system", content=self.system), None, self.created_at))
        chat.turns += [replace(turn, parent=0 if turn.parent is None else turn.parent + 1) for turn in self.turns]
        return chat

    @property
    def branch(self) -> list[Message]:
        """The messages of the open branch, from the first to the last."""
        found, at = [], self.current
        while at is not None:
            found.append(self.turns[at].message)
            at = self.turns[at].parent
        return found[::-1]

"""Who a saved chat is written for, and the line of figures under its answers in their words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from babel.dates import format_datetime

from lib.calls.records import CallRecord
from lib.chat.branch import Turn
from lib.core.clock import as_datetime
from lib.core.parameters import written
from lib.core.request import Role


@dataclass(frozen=True, slots=True)
class Reader:
    """The language as HTML and as babel name it, the time zone, who says a message, by its role, and what says in a
    line how long a call took, how much it wrote and what it cost."""

    html_language: str
    locale: str
    zone: tzinfo
    names: Mapping[Role, str]
    figures: Callable[[CallRecord], str]

    def time(self, moment: int) -> str:
        """A time in microseconds since 1970, for this reader."""
        when = as_datetime(moment, self.zone)
        return str(format_datetime(when, "medium", locale=self.locale))

    def line(self, turn: Turn) -> str:
        """When an answer was asked for, with which settings, and its numbers; "" for what nobody was asked for here."""
        if turn.call is None:
            return ""
        asked = settings(turn.call.params_asked)
        return " · ".join([self.time(turn.call.started_at), *asked, self.figures(turn.call)])


def settings(params: Mapping[str, Any]) -> list[str]:
    """Parameters under the contract's names, which are the same in every language."""
    return [f"{name} {written(value)}" for name, value in params.items() if name != "stream"]

"""The chat's settings as a value: models, system prompt, parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lib.core.errors import InvalidInput
from lib.core.parameters import SET_ELSEWHERE, Params
from lib.core.request import LONGEST_MODEL_ID, Message

MOST_BESIDE = 4
"""Models that answer the same message side by side."""
MOST_SYSTEM_CHARACTERS = 1_000_000
AS_IT_COMES = Params(stream=True)
"""Where nothing was set: the answer is shown while it is written, and all else is the model's own."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the page is set to: model (`endpoint/model id`), system prompt, parameters. `others` are further models
    that get the same turn; `leave_out` is how many of the oldest turns are not sent."""

    model: str = ""
    system: str = ""
    params: Params = Params()
    others: tuple[str, ...] = ()
    leave_out: int = 0

    @property
    def models(self) -> tuple[str, ...]:
        """All models that are asked, each once."""
        return tuple(dict.fromkeys([self.model, *self.others]))[:MOST_BESIDE]

    @property
    def preface(self) -> list[Message]:
        """What goes before the conversation: the system prompt, where there is one."""
        return [Message(role="system", content=self.system)] if self.system.strip() else []

    def settings(self) -> dict[str, Any]:
        """All but the model as JSON values: `system`, `others`, and `params` under the contract's names."""
        return {"system": self.system, "others": list(self.others), "params": self.params.to_send()}

    @classmethod
    def of(cls, model: Any, settings: Mapping[str, Any]) -> Self:
        """The form of a model and of `settings()`, as they were stored or stand in a file; what is not usable in them
        is left out."""
        system, others = settings.get("system"), settings.get("others")
        return cls(
            model=_model_id(model),
            system=system[:MOST_SYSTEM_CHARACTERS] if isinstance(system, str) else "",
            params=usable_params(settings.get("params")),
            others=tuple(filter(None, map(_model_id, others if isinstance(others, list) else [])))[: MOST_BESIDE - 1],
        )


def usable_params(values: Any) -> Params:
    """Those of `values`, under the names they are sent by, that can be sent."""
    kept: dict[str, Any] = {}
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if value is None or name in SET_ELSEWHERE:
            continue
        try:
            Params.recorded({name: value}).limited()
        except InvalidInput:
            continue
        kept[name] = value
    try:
        return Params.recorded(kept).limited()
    except InvalidInput:  # the further fields are too long together
        return Params.recorded({name: value for name, value in kept.items() if name in Params.model_fields})


def _model_id(value: Any) -> str:
    return value.strip()[: 2 * LONGEST_MODEL_ID] if isinstance(value, str) else ""

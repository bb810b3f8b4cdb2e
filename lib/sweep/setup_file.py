"""A sweep's set-up as a file: for one that is too long for a link, and to be kept. It holds no key and no answer."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.sweep.axis import VARIED, Axis
from lib.sweep.plan import Plan

MAX_BYTES = 20_000_000
NOT_ONE = N_("This file is not a sweep's set-up.")


class _AxisForm(BaseModel):
    field: str
    values: list[Any] = Field(min_length=1)


class _PlanForm(BaseModel):
    """The shape that a plan in a file has to have; what it may ask is checked before it runs."""

    model_config = ConfigDict(strict=True)

    prompt: str
    system: str = ""
    models: list[str] = []
    temperatures: list[float | None] = []
    repeats: int = 1
    concurrency: int = 4
    params: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    inputs: list[dict[str, str]] = []
    axis: _AxisForm | None = None


def written(plan: Plan) -> bytes:
    """`plan` as the contents of a file."""
    return json.dumps({"tempera_sweep": 1, **plan.to_json()}, ensure_ascii=False, indent=1).encode()


def read(file: bytes) -> Plan:
    """The plan in a file; raises InvalidInput for one that has none."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("This file is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    try:
        value = json.loads(file.decode("utf-8-sig"))
        if not isinstance(value, dict) or "tempera_sweep" not in value:
            raise InvalidInput(NOT_ONE)
        plan = Plan.from_json(_PlanForm.model_validate(value).model_dump())
        _check_axis(plan.axis)
    # What nests too deeply is a RecursionError.
    except (ValidationError, ValueError, TypeError, RecursionError):
        raise InvalidInput(NOT_ONE) from None
    return plan


def _check_axis(axis: Axis | None) -> None:
    """Raises ValueError unless it is of a field that can be varied, with values of the kind that it takes."""
    if axis is None:
        return
    varied = VARIED.get(axis.field)
    if varied is None or not all(map(varied.takes, axis.values)):
        raise ValueError(axis.field)

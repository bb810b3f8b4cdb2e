"""Reads further request fields, typed as a JSON object, and refuses in a sentence what can't be sent."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.parameters import MAX_EXTRA_CHARACTERS, Params

EXAMPLE = '{"seed": 7, "reasoning_effort": "low"}'
SHAPING = (
    *("seed", "top_k", "min_p", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs", "response_format"),
    *("reasoning_effort", "reasoning", "verbosity", "thinking", "enable_thinking"),
)
"""Those that change nothing but the answer: the only ones that a file somebody else made may set. Others can name an
address, a tool or an account."""
DEEPEST = 50
"""How deep objects and lists may be nested: deeper than any service needs, and less than JSON readers can take."""


def read(text: str) -> Mapping[str, Any] | None:
    """The fields that `text` names; None where there are none. Raises InvalidInput for all but a JSON object that can
    be sent as it is."""
    if not text.strip():
        return None
    if len(text) > MAX_EXTRA_CHARACTERS:
        raise InvalidInput(N_("The further fields are longer than {most:,} characters."), most=MAX_EXTRA_CHARACTERS)
    fields = _parsed(text)
    if not isinstance(fields, dict):
        raise InvalidInput(N_("The further fields have to be one JSON object: {example}"), example=EXAMPLE)
    if _depth(fields) > DEEPEST:
        _too_deep()
    _check_text(fields)
    return Params.checked({"extra_fields": fields}).extra_fields or None


def taken_over(text: str) -> tuple[Params, str]:
    """What a text that was kept names of fields that have got a control since, and the text of all others. One that
    can't be read stays as it is."""
    try:
        params = Params.stored({"extra_fields": _parsed(text)})
    except (InvalidInput, ValueError):
        return Params(), text
    own = params.model_copy(update={"extra_fields": None})
    return own, as_typed(params.extra_fields) if own.to_send() else text


def as_typed(fields: Mapping[str, Any] | None) -> str:
    """How fields are typed: `read` gives them back."""
    return json.dumps(dict(fields), ensure_ascii=False, indent=1) if fields else ""


def _parsed(text: str) -> Any:
    try:
        # Python reads NaN, Infinity and 1e999, which are no JSON: services would refuse the whole request.
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as wrong:
        message = N_("The further fields are not JSON: at line {line}, character {column} ({problem}).")
        raise InvalidInput(message, line=wrong.lineno, column=wrong.colno, problem=wrong.msg) from None
    except RecursionError:
        _too_deep()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON's reader would keep the last one and say nothing.
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(N_("The further fields name “{field}” twice."), field=twice[:60])
    return fields


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _whole(text: str) -> int:
    # Python reads integers of any length up to a limit of its own; nobody means one that long.
    return int(text) if len(text) < 1_000 else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise InvalidInput(N_("The further fields hold “{value}”, which is not a number in JSON."), value=text[:60])


def _too_deep() -> NoReturn:
    raise InvalidInput(N_("The further fields are nested more than {most} deep."), most=DEEPEST)


def _check_text(fields: Mapping[str, Any]) -> None:
    """Refuse half a character (`"\\ud83d"`): it could only be sent as something else."""
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidInput(N_("The further fields hold half a character (a lone surrogate).")) from None


def _depth(value: Any) -> int:
    """How many objects and lists stand in each other."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [item for holder in level for item in (holder.values() if isinstance(holder, dict) else holder)]
    return depth

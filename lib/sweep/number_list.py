"""Numbers as people type them: a list of single ones and ranges with a step, `0, 0.25, 1 to 2 step 0.5`."""

import re
from decimal import Decimal
from functools import lru_cache

from lib.core.errors import InvalidInput
from lib.core.i18n import N_

MOST = 100
STEP = Decimal("0.1")
_NUMBER = r"[-−]?(?:\d+(?:\.\d*)?|\.\d+)"
_RANGE = re.compile(
    rf"({_NUMBER})\s*(?:-|–|—|~|～|\.\.|…|to|bis|至|到)\s*({_NUMBER})(?:\s*(?:/|:|：|step|by|every|步长|每)\s*({_NUMBER}))?"
)
_SINGLE = re.compile(_NUMBER)
_BETWEEN = re.compile(r"[,;，；、\s]*")


def numbers(text: str) -> tuple[float, ...]:
    """The numbers that `text` names, ascending, each once; a range without a step has one of 0.1. Raises InvalidInput
    with what could not be read."""
    found: set[Decimal] = set()
    at = _end_of(_BETWEEN, text, 0)
    while at < len(text):
        whole = _RANGE.match(text, at) or _SINGLE.match(text, at)
        if whole is None or (whole.end() < len(text) and _end_of(_BETWEEN, text, whole.end()) == whole.end()):
            raise InvalidInput(
                N_("“{text}” can't be read. Write numbers, or a range: 0 to 1 step 0.25."), text=text[at:].strip()[:40]
            )
        found.update(_range(*whole.groups()) if whole.re is _RANGE else [_number(whole[0])])
        if len(found) > MOST:
            raise _too_many()
        at = _end_of(_BETWEEN, text, whole.end())
    return tuple(sorted(float(number) for number in found))


@lru_cache(maxsize=1024)  # a page of 2,000 answers asks for each of them
def number_label(value: float) -> str:
    """A number as it is typed: all its digits, and no zeros behind them."""
    return format(Decimal(str(round(value, 15))).normalize(), "f")


def _range(first: str, last: str, step: str | None) -> list[Decimal]:
    # Decimal, as 0.1 three times is not 0.3 in floating point.
    low, high = sorted((_number(first), _number(last)))
    width = STEP if step is None else _number(step)
    if width <= 0:
        raise InvalidInput(N_("A range needs a step above 0."))
    if (high - low) / width >= MOST:
        raise _too_many()
    return [low + width * number for number in range(int((high - low) / width) + 1)]


def _number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def _too_many() -> InvalidInput:
    return InvalidInput(N_("That makes more than {most} values."), most=MOST)


def _end_of(pattern: "re.Pattern[str]", text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at

"""Whether two ids name the same model: gateways put a vendor before an id, services a date behind it."""

import re

VERSION = re.compile(
    r"(?:-preview)?(?:[-@]?(?:\d{3,4}|\d{6}|\d{8}|\d{4}-\d\d-\d\d|\d\d-\d\d(?:-\d{4})?|latest))?(?:-v\d+(?::\d+)?)?"
)
"""What may stand behind a model's id without making it another model: a date, or the number of a version."""


def bare(model: str) -> str:
    """The id without what a gateway puts before it, in lower case."""
    return model.lower().rpartition("/")[2]


def same(asked: str, answered: str) -> bool:
    """Whether `answered` names the model that was `asked`, or a dated version of it."""
    one, other = bare(asked), bare(answered)
    return other.startswith(one) and bool(VERSION.fullmatch(other[len(one) :]))

"""Finds `{{variables}}` in a text, and puts their values in: plainly, once, with no language behind it."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\{\{\s*([^{}\s](?:[^{}\n]{0,58}[^{}\s])?)\s*\}\}")


def names(text: str) -> list[str]:
    """The names in double braces, each once, in their order; a name is anything on one line without braces."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables replaced, once: braces inside a value stay as they are. Unknown ones stay too."""
    # In one pass: what a person fills in is never read as a variable.
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def bracketed(text: str, form: str = "[{name}]") -> str:
    """`text` with each of its variables' names in `form`, for those who only read it."""
    return _VARIABLE.sub(lambda found: form.replace("{name}", found[1]), text)

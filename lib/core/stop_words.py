r"""Stop sequences as they are typed in one line: `\n` is the end of a line, `\t` a tab, `\r` a return.

`\\` is one backslash. Any other backslash is itself, so that what needs none of these is typed as it is.
"""

import re

_SIGNS = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}
_TYPED = {sign: typed for typed, sign in _SIGNS.items()}
_ESCAPE = re.compile(r"\\[ntr\\]")
_SIGN = re.compile(r"[\n\t\r\\]")


def unescaped(typed: str) -> str:
    """The sequence that is sent."""
    return _ESCAPE.sub(lambda found: _SIGNS[found[0]], typed)


def escaped(sequence: str) -> str:
    """How a sequence is typed: `unescaped` gives it back."""
    return _SIGN.sub(lambda found: _TYPED[found[0]], sequence)

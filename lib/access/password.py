"""The one password of a shared Tempera: nothing is kept of it but its Argon2id hash (RFC 9106)."""

import unicodedata

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 1_000
_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """What the operator sets as TEMPERA_PASSWORD_HASH: `$argon2id$...`."""
    return _HASHER.hash(_one_form(password))


def is_hash(text: str) -> bool:
    """Whether `text` is an Argon2 hash."""
    try:
        extract_parameters(text)
    except InvalidHashError:
        return False
    return True


def matches(hash: str, typed: str) -> bool:
    """Whether what was typed is the password; takes about 0.1 s of a core and 64 MB, whatever the answer is."""
    try:
        return len(typed) <= MOST_CHARACTERS and _HASHER.verify(hash, _one_form(typed))
    except VerifyMismatchError:
        return False


def _one_form(password: str) -> str:
    """Keyboards write “é” as one character or as two, and mean the same."""
    return unicodedata.normalize("NFC", password)

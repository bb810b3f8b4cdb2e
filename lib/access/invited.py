"""Who may sign in with an account elsewhere: mail addresses, and domains (`@example.com`)."""

from collections.abc import Iterable, Mapping
from typing import Any

from lib.core.errors import NotInvited


class Invited:
    """A list of mail addresses and domains; capitals count nowhere in it."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = frozenset(entry.strip().lower() for entry in entries if entry.strip())

    def __bool__(self) -> bool:
        return bool(self._entries)

    def has(self, mail: str) -> bool:
        """Whether a mail address is on it, or its domain."""
        mail = mail.lower()
        return mail in self._entries or f"@{mail.rpartition('@')[2]}" in self._entries


def mail_of(claims: Mapping[str, Any], invited: Invited, moment: float) -> str:
    """The mail address, in small letters, of whom a provider vouches for at `moment` (seconds since 1970), by the
    claims of an ID token (https://openid.net/specs/openid-connect-core-1_0.html#IDToken). Raises NotInvited where it is
    not on the list, not verified, or the token is too old."""
    mail, expires = claims.get("email"), claims.get("exp")
    if not isinstance(mail, str) or mail.count("@") != 1 or not mail.isprintable() or " " in mail:
        raise NotInvited(mail="?")
    # Not every provider says so; one that does has to say yes.
    verified = claims.get("email_verified", True) in (True, "true")
    in_time = isinstance(expires, int | float) and expires > moment
    if not invited.has(mail) or not verified or not in_time:
        raise NotInvited(mail=mail)
    return mail.lower()

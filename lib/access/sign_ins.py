"""Lets people in who know the password or have an account that is invited, knows them again by their cookie, and lets
them go.

The cookie holds whose everything is that is made under it, and is signed, so that no other can be made up. Who knows
the password is a random id, another in each browser; who has an account is its mail address. A sign-in ends after a set
time, when the password changes or the account is not invited any more, and when it is signed out. Who signs in with the
password again, with an old cookie, goes on as the same visitor; after a sign-out that visitor is nobody any more.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Connection

from lib.access import password
from lib.access.invited import Invited, mail_of
from lib.access.tries import Tries
from lib.core.errors import StoreError, WrongPassword
from lib.store.database import Store
from lib.visitor import preferences

COOKIE = "tempera_sign_in"
KEPT_SECONDS = 400 * 24 * 3600
"""How long a browser keeps the cookie, so that an ended sign-in goes on as the same visitor: browsers' own limit."""
CHECKED_AT_ONCE = 2
"""Passwords: each takes a core and 64 MB."""
AGAIN_SECONDS = 5.0
"""Where several processes serve pages, another one may have ended a sign-in: so often that is looked up anew."""
MOST_ENDED = 50
"""Sign-ins of one visitor that are remembered as ended; older ones are past their time."""
NOBODY = Invited(())
_ENDED = "signed_out"
_ACCOUNT = "account"
_RANDOM = re.compile(r"[0-9a-f]{32}")


class SignIns:
    """Who is signed in. `secret` signs, `seconds` is how long a sign-in lasts; the store knows who has signed out.
    Without a `password_hash` no password lets in, and without anybody `invited` no account."""

    def __init__(
        self,
        password_hash: str,
        secret: str,
        seconds: float,
        store: Store,
        invited: Invited = NOBODY,
        operators: Invited = NOBODY,
    ) -> None:
        self.by_password, self.by_account = bool(password_hash), bool(invited)
        self._hash, self._seconds, self._store = password_hash, seconds, store
        self._invited, self._operators = invited, operators
        self._mark = hmac.new(secret.encode(), password_hash.encode(), hashlib.sha256).hexdigest()[:32]
        settings = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._serializer = URLSafeTimedSerializer(secret, salt="tempera sign-in", signer_kwargs=settings)
        self._tries = Tries()
        self._checking = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._ended: dict[str, bool] = {}
        """Which sign-ins were ended, of those that were seen since the start."""
        self._looked_up_at: dict[str, float] = {}
        """When that was looked up last, of each of them."""

    async def enter(self, typed: str, address: str, former: str = "") -> str:
        """The cookie's value for who has typed the password, from a client's address and with the cookie `former`;
        raises WrongPassword and TooManyTries."""
        self._tries.take(address)
        async with self._checking:
            right = self.by_password and await asyncio.to_thread(password.matches, self._hash, typed)
        if not right:
            raise WrongPassword
        self._tries.succeeded(address)
        before = self._read(former, None)
        goes_on = before is not None and _RANDOM.fullmatch(before.visitor) and not await self._has_ended(before)
        return self._cookie(before.visitor if before is not None and goes_on else secrets.token_hex(16), self._mark)

    def enter_with_account(self, claims: Mapping[str, Any]) -> str:
        """The cookie's value for whom a provider vouches by the claims of an ID token, just now; raises NotInvited."""
        return self._cookie(mail_of(claims, self._invited, time.time()), _ACCOUNT)

    async def admitted(self, cookie: str) -> str | None:
        """The visitor whose valid cookie this is, by all that is known; None where there is none."""
        found = self._valid(cookie)
        return None if found is None or await self._has_ended(found) else found.visitor

    def visitor(self, cookie: str) -> str | None:
        """The visitor of a cookie that was admitted a while ago; None where it has ended since. Fast enough for every
        message of a page."""
        found = self._valid(cookie)
        return None if found is None or self._ended.get(found.id) else found.visitor

    async def learn_who_left(self, cookies: Set[str]) -> None:
        """Look up once for all of these cookies, which were admitted, whether another process has ended them."""
        found = [one for one in map(self._valid, cookies) if one is not None]
        visitors = {one.visitor for one in found}
        with suppress(StoreError):  # which puts nobody out
            kept = await asyncio.to_thread(self._store.read, lambda db: preferences.of_each(db, visitors, _ENDED))
            now = time.monotonic()
            for one in found:
                self._looked_up_at[one.id] = now
                self._ended[one.id] = one.id in _listed(kept.get(one.visitor)) or self._ended.get(one.id, False)

    def leave(self, cookie: str) -> None:
        """End a sign-in, for good and in every tab; raises StoreError where that can't be kept over a restart."""
        found = self._read(cookie, None)
        if found is None:
            return
        self._ended[found.id] = True

        def note(db: Connection) -> None:
            preferences.put(db, found.visitor, _ENDED, [found.id, *_ended_of(db, found.visitor)][:MOST_ENDED])

        self._store.write(note).result()

    def is_operator(self, visitor: str) -> bool:
        """Whether a visitor runs this Tempera: one with an account."""
        return "@" in visitor and self._operators.has(visitor)

    def _cookie(self, visitor: str, mark: str) -> str:
        return self._serializer.dumps([visitor, mark, secrets.token_hex(8)])

    def _valid(self, cookie: str) -> "_SignIn | None":
        found = self._read(cookie, self._seconds)
        if found is None:
            return None
        if "@" in found.visitor:
            return found if found.mark == _ACCOUNT and self._invited.has(found.visitor) else None
        return found if found.mark == self._mark else None

    def _read(self, cookie: str, seconds: float | None) -> "_SignIn | None":
        """What a cookie of ours says, None where it is none or too old."""
        try:
            said: Any = self._serializer.loads(cookie, max_age=None if seconds is None else int(seconds))
        except BadData:
            return None
        match said:
            case [str(visitor), str(mark), str(id)] if visitor and id:
                return _SignIn(visitor, mark, id)
        return None

    async def _has_ended(self, found: "_SignIn") -> bool:
        now, known = time.monotonic(), self._ended.get(found.id)
        if known is None or (not known and now - self._looked_up_at[found.id] >= AGAIN_SECONDS):
            self._looked_up_at[found.id] = now  # first, so that not every request waits for a database that is away
            with suppress(StoreError):  # which puts nobody out
                ended = await asyncio.to_thread(self._store.read, lambda db: _ended_of(db, found.visitor))
                self._ended[found.id] = found.id in ended or self._ended.get(found.id, False)
        return self._ended.get(found.id, False)


@dataclass(frozen=True, slots=True)
class _SignIn:
    """What a cookie holds: whose it is, by which password or that it is by an account, and an id of its own."""

    visitor: str
    mark: str
    id: str


def _ended_of(db: Connection, visitor: str) -> list[str]:
    return _listed(preferences.get(db, visitor, _ENDED))


def _listed(kept: object) -> list[str]:
    return [str(one) for one in kept] if isinstance(kept, list) else []

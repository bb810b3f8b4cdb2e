"""Lets people in who know the password, knows them again by their cookie, and lets them go.

The cookie holds a random id, the visitor's, under which everything is kept that the visitor makes; it is signed, so
that no other can be made up. It ends after a set time, when the password changes, and when its visitor signs out. Who
signs in again with an old one goes on as the same visitor; after a sign-out nobody does.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from lib.access import password
from lib.access.tries import Tries
from lib.core.errors import StoreError, WrongPassword
from lib.store.database import Store
from lib.visitor import preferences

COOKIE = "tempera_sign_in"
KEPT_SECONDS = 400 * 24 * 3600
"""How long a browser keeps the cookie, so that an ended sign-in goes on as the same visitor: browsers' own limit."""
CHECKED_AT_ONCE = 2
"""Passwords: each takes a core and 64 MB."""
_OUT = "signed_out"
_VISITOR = re.compile(r"[0-9a-f]{32}")


class SignIns:
    """Who is signed in. `secret` signs, `seconds` is how long a sign-in lasts; the store knows who has signed out."""

    def __init__(self, password_hash: str, secret: str, seconds: float, store: Store) -> None:
        self._hash, self._seconds, self._store = password_hash, seconds, store
        self._mark = hmac.new(secret.encode(), password_hash.encode(), hashlib.sha256).hexdigest()[:32]
        settings = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._serializer = URLSafeTimedSerializer(secret, salt="tempera sign-in", signer_kwargs=settings)
        self._tries = Tries()
        self._checked = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._out: dict[str, bool] = {}
        """Which visitors have signed out, of those that were seen since the start."""

    async def enter(self, typed: str, address: str, former: str = "") -> str:
        """The cookie's value for who has typed the password, from a client's address and with the cookie `former`;
        raises WrongPassword and TooManyTries."""
        self._tries.take(address)
        async with self._checked:
            right = await asyncio.to_thread(password.matches, self._hash, typed)
        if not right:
            raise WrongPassword
        self._tries.succeeded(address)
        visitor = self._read(former, None)[0]
        if not visitor or await self._has_left(visitor):
            visitor = secrets.token_hex(16)
            self._out[visitor] = False
        return self._serializer.dumps([visitor, self._mark])

    async def admitted(self, cookie: str) -> str | None:
        """The visitor whose valid cookie this is, by all that is known; None where there is none."""
        visitor = self.visitor(cookie)
        return None if visitor is None or await self._has_left(visitor) else visitor

    def visitor(self, cookie: str) -> str | None:
        """The same for a cookie that was admitted a while ago: fast enough for every message of a page."""
        visitor, mark = self._read(cookie, self._seconds)
        return visitor if visitor and mark == self._mark and not self._out.get(visitor) else None

    def leave(self, visitor: str) -> None:
        """Sign a visitor out, for good and in every tab; raises StoreError where that can't be kept over a restart."""
        self._out[visitor] = True
        self._store.write(lambda db: preferences.put(db, visitor, _OUT, True)).result()

    def _read(self, cookie: str, seconds: float | None) -> tuple[str, str]:
        """The visitor and the mark of the password in a cookie of ours, "" where it is none or too old."""
        try:
            found: Any = self._serializer.loads(cookie, max_age=None if seconds is None else int(seconds))
        except BadData:
            return "", ""
        match found:
            case [str(visitor), str(mark)] if _VISITOR.fullmatch(visitor):
                return visitor, mark
        return "", ""

    async def _has_left(self, visitor: str) -> bool:
        if visitor not in self._out:
            with suppress(StoreError):  # a database that is away for a moment puts nobody out
                left = await asyncio.to_thread(self._store.read, lambda db: preferences.get(db, visitor, _OUT))
                self._out.setdefault(visitor, bool(left))
        return self._out.get(visitor, False)

"""The system's keychain, for keys that a person wants to be remembered on this computer; by way of `keyring`.

Which addresses have a key there is kept with the visitor's settings: the keychain of somebody who has never put a key
into it is not opened, as it may ask to be unlocked.
"""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection

from lib.core.errors import KeychainKept, KeychainRefused
from lib.visitor import preferences

SERVICE = "Tempera"
NAME = "remembered_services"
LEAST_PRIORITY = 1
"""What keyring itself calls a backend to be recommended; below are those that fail, and files that others can read."""
_PLAIN_FILES = "keyrings.alt"
log = logging.getLogger(__name__)


class Keychain:
    """Keys by the address they are for. `wanted` is false where Tempera is not one person's alone."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._usable: Future[bool] = Future()
        self._begun = threading.Lock()

    @property
    def usable(self) -> bool:
        """Whether there is one; not yet, for the moment that it takes to find out, which nobody waits for."""
        if self._wanted and self._begun.acquire(blocking=False):
            threading.Thread(target=lambda: self._usable.set_result(_found()), daemon=True).start()
        return self._usable.done() and self._usable.result()

    def keep(self, address: str, key: SecretStr) -> None:
        """Remember the key for an address; raises KeychainRefused."""
        self._do("set_password", SERVICE, address, key.get_secret_value())

    def key(self, address: str) -> SecretStr:
        """The key for an address, empty where there is none; raises KeychainRefused."""
        return SecretStr(self._do("get_password", SERVICE, address) or "")

    def forget(self, address: str) -> None:
        """Let go of the key for an address; raises KeychainKept where it may still be there."""
        try:
            if self.key(address).get_secret_value():
                self._do("delete_password", SERVICE, address)
        except KeychainRefused:
            raise KeychainKept from None

    def _do(self, name: str, *arguments: str) -> Any:
        if not self._wanted:
            raise KeychainRefused
        import keyring  # takes a tenth of a second, for something that few ask for

        try:
            return getattr(keyring, name)(*arguments)
        except Exception as refused:
            # Each backend raises errors of its own, and their texts may hold anything.
            log.warning("the keychain refused: %s", type(refused).__name__)
            raise KeychainRefused from None


def _found() -> bool:
    import keyring

    try:
        backend = keyring.get_keyring()
        parts = getattr(backend, "backends", None) or [backend]
        return backend.priority >= LEAST_PRIORITY and not any(
            type(part).__module__.startswith(_PLAIN_FILES) for part in parts
        )
    except Exception as broken:
        log.warning("no keychain: %s", type(broken).__name__)
        return False


def remembered(db: Connection, owner: str) -> list[str]:
    """The addresses whose keys are in the keychain."""
    kept = preferences.get(db, owner, NAME)
    return [str(address) for address in kept] if isinstance(kept, list) else []


def note_kept(db: Connection, owner: str, address: str, kept: bool) -> None:
    """Write down that the key for an address is in the keychain now, or is not."""
    others = [one for one in remembered(db, owner) if one != address]
    preferences.put(db, owner, NAME, [address, *others] if kept else others)


def stored_keys(keychain: Keychain, addresses: list[str]) -> Iterator[tuple[str, SecretStr]]:
    """The addresses with the keys that the keychain has for them; those of which it says nothing are left out."""
    for address in addresses:
        try:
            key = keychain.key(address)
        except KeychainRefused:
            continue
        if key.get_secret_value():
            yield address, key

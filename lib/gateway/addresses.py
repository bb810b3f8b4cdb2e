"""Checks addresses and keys as they are typed before they go into a request."""

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr

from lib.core.errors import ConnectionFailed, ConnectionRefused, InvalidInput, NameNotFound, TlsFailed
from lib.core.i18n import N_

MOST_KEY_CHARACTERS = 4_096
_PRINTABLE = re.compile(r"[!-~]+")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"


def key_of(api_key: SecretStr) -> str:
    """The key without the blanks around it, empty where there is none; raises InvalidInput, without the key, when it
    can't stand in a header."""
    key = api_key.get_secret_value().strip().strip(_INVISIBLE).strip()
    if key and (len(key) > MOST_KEY_CHARACTERS or not _PRINTABLE.fullmatch(key)):
        raise InvalidInput(N_("The key holds a character that no key has, such as a space or a line end inside it."))
    return key


def service_url(base_url: str, path: str) -> str:
    """The URL of `path` at a service; raises InvalidInput for a base URL that programs read in different ways."""
    base = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(base)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or "@" in parts.netloc or not _PRINTABLE.fullmatch(base) or set(base) & set("\\?#"):
        raise InvalidInput(N_("“{address}” is no address of a service."), address=_shown(base))
    return base + path


def host_of(base_url: str) -> str:
    """Host and port of an address, for people."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def is_loopback(url: str) -> bool:
    """Whether the address is this computer, which no proxy may come between."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def unreachable(error: BaseException) -> ConnectionFailed:
    """Why no connection could be made, by what lies at the bottom of `error`."""
    causes = list(_causes(error))
    for kind, meaning in ((ssl.SSLError, TlsFailed), (socket.gaierror, NameNotFound), (OSError, ConnectionRefused)):
        found = next((cause for cause in causes if isinstance(cause, kind)), None)
        if found is not None:
            return meaning(str(found)[:300])
    hung_up = {type(cause).__name__ for cause in causes} & {"EndOfStream", "BrokenResourceError"}
    return TlsFailed() if hung_up else ConnectionFailed()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shown(base: str) -> str:
    return re.sub(r"//[^/]*@", "//", base)[:200]

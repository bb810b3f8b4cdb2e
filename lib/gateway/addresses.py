"""Checks addresses and keys as they are typed before they go into a request."""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from pydantic import SecretStr

from lib.core.errors import ConnectionFailed, ConnectionRefused, InvalidInput, NameNotFound, TlsFailed
from lib.core.i18n import N_

METADATA_NAMES = {
    "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
    "metadata.tencentyun.com", "metadata.azure.internal",
}  # fmt: skip
METADATA_ADDRESSES = {
    ipaddress.ip_address(address)
    for address in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
"""Where clouds hand out credentials, apart from the link-local addresses."""
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_KEY_CHARACTERS = 4_096
_PRINTABLE = re.compile(r"[!-~]+")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"


def key_of(api_key: SecretStr) -> str:
    """The key without the blanks around it, empty where there is none; raises InvalidInput, without the key, when it
    can't stand in a header."""
    # What comes along when a key is copied from a web page; inside a key it is refused.
    key = api_key.get_secret_value().strip().strip(_INVISIBLE).strip()
    # httpx would raise LocalProtocolError with the whole header in its words, key included.
    if key and (len(key) > MOST_KEY_CHARACTERS or not _PRINTABLE.fullmatch(key)):
        raise InvalidInput(N_("The key holds a character that no key has, such as a space or a line end inside it."))
    return key


@lru_cache(maxsize=256)
def service_url(base_url: str, path: str) -> str:
    """The URL of `path` at a service; raises InvalidInput for a base URL that programs read in different ways."""
    base = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(base)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    # A browser ends the name at a backslash, httpx reads on to what stands behind “@”: one address, two hosts.
    if not fine or "@" in parts.netloc or not _PRINTABLE.fullmatch(base) or set(base) & set("\\?#"):
        raise InvalidInput(N_("“{address}” is no address of a service."), address=_shown(base))
    check_host(parts.hostname or "")
    return base + path


def check_host(host: str) -> None:
    """Raise InvalidInput for a host that belongs to the network itself, however it is spelled: link-local addresses
    and those of cloud metadata. A name is looked up when it is connected to, and the address checked then."""
    # With a dot at its end a name means the same, and would pass by.
    name = host.strip("[]").rstrip(".").lower()
    address = ip_of(name)
    if name in METADATA_NAMES or (address is not None and any(map(_is_forbidden, _meanings(address)))):
        raise InvalidInput(N_("This address belongs to the network itself, not to a service."))


def check_public(host: str) -> None:
    """Raise InvalidInput for an address, however it is spelled, that is not one of the public internet's: private,
    loopback, link-local and all others that lead nowhere else. A name is looked up first."""
    address = ip_of(host.strip("[]").rstrip(".").lower())
    if address is not None and not all(map(_is_public, _meanings(address))):
        raise InvalidInput(N_("Only services on the public internet can be connected here."))


async def check_public_name(url: str) -> None:
    """The same for all addresses that the host of `url` has now; a name without any is left to whoever connects."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    check_public(host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_kind, address in found:
        check_public(str(address[0]))


def _is_public(address: IpAddress) -> bool:
    local = address.is_multicast or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    return address.is_global and not local and not _is_forbidden(address)


def _is_forbidden(address: IpAddress) -> bool:
    return address.is_link_local or address in METADATA_ADDRESSES


def ip_of(host: str) -> IpAddress | None:
    """The address that `host` is, in any of the spellings that system libraries take; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        # ipaddress reads four decimal numbers only; the system's own look-up takes 0xa9fea9fe and 169.16689662 too.
        return _ipv4_of(host.split("."))


def _ipv4_of(parts: Sequence[str]) -> ipaddress.IPv4Address | None:
    """As inet_aton reads it: one to four numbers, decimal, octal or hexadecimal, the last one filling the rest."""
    bases = [16 if part.startswith("0x") else 8 if part.startswith("0") else 10 for part in parts]
    try:
        *firsts, last = (int(part.removeprefix("0x") or "0", base) for part, base in zip(parts, bases, strict=True))
    except ValueError:
        return None
    if len(firsts) > 3 or max(firsts, default=0) > 255 or last >= 256 ** (4 - len(firsts)):
        return None
    return ipaddress.IPv4Address(sum(first << (24 - 8 * at) for at, first in enumerate(firsts)) + last)


def _meanings(address: IpAddress) -> Iterator[IpAddress]:
    """The address itself, and those that it leads to: IPv6 carries IPv4 in several ways."""
    yield address
    if not isinstance(address, ipaddress.IPv6Address):
        return
    teredo = address.teredo or ()
    # LibreChat's check missed ::ffff:a9fe:a9fe (CVE-2026-31943).
    yield from (found for found in (address.ipv4_mapped, address.sixtofour, *teredo) if found is not None)
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def host_of(base_url: str) -> str:
    """Host and port of an address, for people."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


@lru_cache(maxsize=256)
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
        # TLS and names first: both errors are OSErrors too.
        found = next((cause for cause in causes if isinstance(cause, kind)), None)
        if found is not None:
            return meaning(_words([found]))
    # anyio's errors for a server that hangs up; while a connection is made, that is in the TLS handshake.
    hung_up = {type(cause).__name__ for cause in causes} & {"EndOfStream", "BrokenResourceError"}
    return (TlsFailed if hung_up else ConnectionFailed)(_words(causes))


def _words(causes: Sequence[BaseException]) -> str:
    """What the first of them says that says anything; else what it is called."""
    return next((str(cause) for cause in causes if str(cause)), type(causes[-1]).__name__)[:300]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shown(base: str) -> str:
    return re.sub(r"//[^/]*@", "//", base)[:200]

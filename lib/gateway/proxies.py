"""Which proxy stands between this computer and an address: as the environment, or the system, says.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, mean what they mean to curl
(https://everything.curl.dev/usingcurl/proxies/env.html). httpx reads them too, but takes no ranges in `NO_PROXY`, and
raises where it can't read a value.
"""

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from lib.core.errors import ProxyUnusable
from lib.gateway.addresses import is_loopback

SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str) -> str | None:
    """The proxy's URL for `url`, None for the direct way; raises ProxyUnusable for a value that can't be used."""
    # Nothing may come between this computer and itself: the practice model's requests never leave it.
    if is_loopback(url):
        return None
    found, target = getproxies(), urlsplit(url)
    name = next((name for name in (target.scheme, "all") if found.get(name)), None)
    if name is None or _goes_direct(target, found.get("no", "")):
        return None
    return _checked(found[name], f"{name.upper()}_PROXY")


def host_and_port(proxy: str) -> str:
    """What of a proxy's URL may be shown: without the password that it can hold."""
    return urlsplit(proxy).netloc.rpartition("@")[2]


def _checked(value: str, setting: str) -> str:
    proxy = value.strip() if "://" in value else f"http://{value.strip()}"
    try:
        parts = urlsplit(proxy)
        fine = parts.scheme.lower() in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not proxy.isprintable() or " " in proxy:
        raise ProxyUnusable(setting=setting)
    return parts.scheme.lower() + proxy[len(parts.scheme) :]


def _goes_direct(target: SplitResult, no_proxy: str) -> bool:
    host = (target.hostname or "").rstrip(".")
    port = target.port or _PORTS.get(target.scheme, 0)
    if any(_means(entry, host, port) for entry in _entries(no_proxy)):
        return True
    # What Windows and macOS have in their own settings; with variables set, these alone count.
    return not no_proxy and bool(proxy_bypass(host))


def _entries(no_proxy: str) -> Iterable[str]:
    """The entries of `NO_PROXY`, which commas, blanks, or as in Windows' settings semicolons, keep apart."""
    return no_proxy.lower().replace(",", " ").replace(";", " ").split()


def _means(entry: str, host: str, port: int) -> bool:
    """Whether `host` is meant: by its name, that of a domain it is in, a pattern, an address or a range of them."""
    entry = entry.partition("://")[2] or entry
    name, only_port = _split_port(entry.rstrip("/"))
    if only_port not in (None, port):
        return False
    if name == "<local>":
        return "." not in host and ":" not in host
    address = _address(host)
    if address is not None:
        return _in_range(address, name) or ("*" in name and fnmatchcase(host, name))
    name = name.strip(".")
    if "*" in name:
        return fnmatchcase(host, name) or host == name.removeprefix("*.")
    return host == name or host.endswith(f".{name}")


def _split_port(entry: str) -> tuple[str, int | None]:
    """A name and the port it is restricted to; the colons of an IPv6 address are none before a port."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        entry, digits = name + (rest if rest.startswith("/") else ""), rest.removeprefix(":")
    elif entry.count(":") == 1:
        entry, _, digits = entry.partition(":")
    else:
        digits = ""
    return entry, int(digits) if digits.isdigit() else None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _in_range(address: ipaddress.IPv4Address | ipaddress.IPv6Address, name: str) -> bool:
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False

"""Takes off what comes along when a key or an address is copied out of a web page, a shell, a file of settings, a mail.

What is cleaned stays the same when it is cleaned again. Nothing inside a key is ever changed.
"""

import ipaddress
import re
from collections.abc import Callable
from unicodedata import category, normalize
from urllib.parse import quote

from lib.gateway.addresses import ip_of

_AROUND = frozenset("\"'`´“”„‟‘’‚‹›«»「」『』〈〉《》<>＂＇,;，；、\\")
_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
_SHELL = r"(?:(?:export|set|env|-h|--header)\s+)?[\"'`]?(?:\$env:)?"
_KEY_LABELS = (
    re.compile(
        _SHELL + r"[\w.\-\[\]()\"' ]*?(?:key|token|secret|authorization|密钥|令牌)[\"'`\])]*\s*[=:：＝]\s*(?=[^\s=:])",
        re.IGNORECASE,
    ),
    re.compile(r"setx\s+\w+\s+(?=\S)", re.IGNORECASE),
    re.compile(r"bearer[:\s]\s*(?=\S)", re.IGNORECASE),
)
_ADDRESS_LABELS = (
    # A colon alone is that before a port: the host may well be called “endpoint”.
    re.compile(
        _SHELL + r"[\w.\-\[\]()\"' ]*?(?:url|base|host|endpoint|address)[\"'`\])]*\s*(?:=|:(?=\s|https?:))\s*(?=\S)",
        re.IGNORECASE,
    ),
    re.compile(r"[\w\- ]*(?:地址|网址|接口)\s*[:=]\s*(?=\S)", re.IGNORECASE),
    re.compile(r"(?:setx\s+\w+|curl|get|post)\s+(?=\S)", re.IGNORECASE),
)
_COMMENT = re.compile(r"\s+#.*$")
_SCHEME = re.compile(r"(https?)(?::/*|//+)", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*://", re.IGNORECASE)
_REQUEST = re.compile(
    r"/(?:(?:chat/)?completions|responses|embeddings|messages|models|(?<=/v1/)models/.+)/*$", re.IGNORECASE
)
_PORT = re.compile(r":?(\d{2,5})")
_NEARBY = (".local", ".localhost", ".localdomain", ".lan", ".home", ".home.arpa", ".internal", ".intranet")
"""What names in the network at home or at work end with."""


def cleaned_key(text: str) -> str:
    """The key, without blanks, unseen characters, quotes and names such as `Authorization: Bearer` around it."""
    return _until_it_stays(text, _key)


def cleaned_address(text: str) -> str:
    """The address as it stands before `/chat/completions`, with a scheme; empty where there is none."""
    return _until_it_stays(text, _address)


def _until_it_stays(text: str, clean: Callable[[str], str]) -> str:
    while (cleaner := clean(text)) != text:
        text = cleaner
    return text


def _key(text: str) -> str:
    return _without_labels(text, _KEY_LABELS)


def _address(text: str) -> str:
    # Input methods write “：／．。”, and web pages put marks of direction and of line breaks into long addresses.
    plain = "".join(one for one in normalize("NFKC", text).replace("。", ".") if category(one) != "Cf")
    scheme, rest = _scheme(_without_labels(plain, _ADDRESS_LABELS))
    if not rest or _OTHER_SCHEME.match(rest):
        return rest
    host, slash, path = re.split(r"[?#]", rest)[0].partition("/")
    host = _host(host)
    return f"{scheme or likely_scheme(host)}://{host}{_path(slash + path)}"


def _without_labels(text: str, labels: tuple[re.Pattern[str], ...]) -> str:
    text = _COMMENT.sub("", _bare(text))
    for label in labels:
        found = label.match(text)
        text = text[found.end() :] if found else text
    return _bare(text)


def _bare(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_around(character: str) -> bool:
    return character in _AROUND or category(character) in _UNSEEN


def _scheme(address: str) -> tuple[str, str]:
    """The scheme, and what follows; of two, as when one was typed into a field that held the other, the second."""
    scheme = ""
    while found := _SCHEME.match(address):
        scheme, address = found[1].lower(), address[found.end() :]
    return scheme, address.lstrip("/")


def _host(host: str) -> str:
    """Host and port: in brackets where they are needed, as they stand on the wire; a port alone is this computer's."""
    if port := _PORT.fullmatch(host):
        return f"localhost:{port[1]}"
    if "@" in host:
        return host  # refused by the check that follows, and not to be made to look like something else
    host = host.rstrip(":.").lower()
    for address, port_part in ((host, ""), (host.rpartition(":")[0], host.rpartition(":")[2])):
        if ":" in address and _is_ip(address):
            return f"[{address}]" + (f":{port_part}" if port_part else "")
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _path(path: str) -> str:
    path = re.sub(r"/{2,}", "/", path).rstrip("/.")
    return quote(_REQUEST.sub("", path), safe="/%:!$&'()*+,;=~@\\")


def likely_scheme(host: str) -> str:
    """https, but for what is on this computer or near it, where there is hardly ever a certificate."""
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    address = ip_of(name.strip("[]"))
    near = ("." not in name or name.endswith(_NEARBY)) if address is None else not address.is_global
    return "http" if near and port != "443" else "https"


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

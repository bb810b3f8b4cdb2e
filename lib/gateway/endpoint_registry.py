"""Which endpoints a visitor may use: the operator's, the visitor's own, and the practice model.

A visitor's keys live in this process's memory only, under the visitor's id.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.prices import Price
from lib.gateway.addresses import MOST_KEY_CHARACTERS, check_host
from lib.gateway.endpoints import FIRST_TOKEN_SECONDS, Endpoint, name_of, second_address
from lib.gateway.key_masking import KNOWN
from lib.gateway.pasted_text import cleaned_address, cleaned_key

OwnServices = Literal["any", "public", "none"]
"""Which services visitors may connect themselves: any, where it is one's own computer; those on the public internet;
none."""


class EndpointRegistry:
    """The endpoints of each visitor, in order of trust; `local` is the practice model's, where there is one."""

    def __init__(
        self,
        offered: Sequence[Endpoint],
        local: Sequence[Endpoint] = (),
        first_token_seconds: float = FIRST_TOKEN_SECONDS,
        own_services: OwnServices = "any",
    ) -> None:
        self.own_services = own_services
        self._first_token_seconds = first_token_seconds
        self._offered = tuple(replace(one, first_token_seconds=first_token_seconds) for one in offered)
        self._local = tuple(local)
        for one in self._offered:
            KNOWN.add(one.api_key)
        self._own: dict[str, dict[str, Endpoint]] = {}
        self._prices: dict[str, Mapping[str, Mapping[str, Price]]] = {}
        # The same visitor may connect in two tabs, each a thread, while calls look up where they go.
        self._lock = threading.Lock()

    def endpoints(self, owner: str) -> list[Endpoint]:
        """What `owner` can use, each under its own name; the first one is the default. At the operator's address an
        own key comes before the operator's."""
        own = {endpoint.name: endpoint for endpoint in self.own(owner)}
        offered = [own.pop(endpoint.name, endpoint) for endpoint in self._offered]
        # Where the operator pays, a visitor's idea of the price is none: the caps count by it.
        prices = self._prices.get(owner, {}) if self.own_services == "any" else {}
        used = [replace(one, prices=prices.get(one.name, {})) if prices else one for one in (*offered, *own.values())]
        return [*used, *self._local]

    def set_prices(self, owner: str, prices: Mapping[str, Mapping[str, Price]]) -> None:
        """What `owner` pays where the list prices are not right, by the endpoint's name and the model's id."""
        self._prices[owner] = prices

    def offered_at(self, base_url: str) -> Endpoint | None:
        """The operator's endpoint at this address, where there is one."""
        return next((one for one in self._offered if one.base_url == base_url), None)

    def has_operators_key(self, owner: str, name: str) -> bool:
        """Whether the service of that name is asked with what the operator has set, for this owner too."""
        with self._lock:
            own = name in self._own.get(owner, {})
        return not own and any(one.name == name for one in self._offered)

    def own(self, owner: str) -> list[Endpoint]:
        """The endpoints that `owner` connected, the newest first."""
        with self._lock:
            return list(self._own.get(owner, {}).values())

    def typed(self, base_url: str, api_key: str) -> Endpoint:
        """An endpoint from what a visitor typed; raises InvalidInput for an address or a key that can't be right, or
        that may not be used here."""
        self._check_own()
        endpoint = typed_endpoint(base_url, api_key)
        return replace(endpoint, public_only=self.own_services == "public")

    def second_address(self, owner: str, name: str) -> Endpoint | None:
        """Where else the service of that name can be asked with the same key; None for most services."""
        found = next((one for one in self.endpoints(owner) if one.name == name), None)
        if found is None or (self.own_services != "any" and found in self._offered):
            return None  # of the operator's keys, each goes to the address it was set for
        return second_address(found)

    def _check_own(self) -> None:
        if self.own_services == "none":
            raise InvalidInput(
                N_("Whoever runs this Tempera has set the services that can be used; others can't be connected.")
            )

    def connect(self, owner: str, endpoint: Endpoint) -> Endpoint:
        """Keep a visitor's own endpoint, the newest first; how it is kept. Raises InvalidInput where the operator has
        given its name to another address: what is meant for the one would go to the other."""
        self._check_own()
        offered = self.offered_at(endpoint.base_url)
        if offered is not None:
            endpoint = replace(endpoint, name=offered.name)
        taken = next((one for one in self._offered if one.name == endpoint.name), None)
        if taken is not None and taken.base_url != endpoint.base_url:
            raise InvalidInput(
                N_("Whoever runs this Tempera has set {service} to {address}; another address of it can't be added."),
                service=endpoint.title,
                address=taken.base_url,
            )
        with self._lock:
            kept = self._own.setdefault(owner, {})
            if endpoint.name in kept:
                KNOWN.forget(kept.pop(endpoint.name).api_key)
            KNOWN.add(endpoint.api_key)
            timed = replace(
                endpoint,
                first_token_seconds=self._first_token_seconds,
                public_only=self.own_services == "public",
            )
            self._own[owner] = {endpoint.name: timed, **kept}
        return timed

    def disconnect(self, owner: str, name: str) -> None:
        """Forget a visitor's own endpoint and its key."""
        with self._lock:
            gone = self._own.get(owner, {}).pop(name, None)
        if gone is not None:
            KNOWN.forget(gone.api_key)


def typed_endpoint(base_url: str, api_key: str) -> Endpoint:
    """An endpoint from what a person typed; raises InvalidInput for an address or a key that can't be right."""
    address, key = cleaned_address(base_url), cleaned_key(api_key)
    _check_address(address)
    if not key.isprintable() or not key.isascii() or " " in key or len(key) > MOST_KEY_CHARACTERS:
        raise InvalidInput(N_("The key holds characters that no key has, a line end or a space perhaps."))
    return Endpoint(name_of(address), address, SecretStr(key))


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = address.isprintable() and not set(address) & set(" \\@<>\"'")
    if parts.scheme not in ("http", "https") or not host or not plain or parts.query or parts.fragment:
        raise InvalidInput(N_("This address can't be used; it should look like https://api.example.com/v1."))
    check_host(host)

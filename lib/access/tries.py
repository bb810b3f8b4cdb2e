"""How often the password may be tried: by one address, and by all of them together; by way of `limits`."""

import ipaddress
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from lib.core.errors import TooManyTries

OF_ONE = (RateLimitItemPerMinute(5), RateLimitItemPerHour(20))
OF_ALL = (RateLimitItemPerMinute(100), RateLimitItemPerHour(1_000))
"""Enough for a company in the morning, and 24,000 guesses a day for everybody who guesses."""
SUBNET = 64
"""Bits of an IPv6 address that one person's network has in common."""


class Tries:
    """Counts tries before they are made, so that no number of them at once gets past a limit."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> None:
        """Count one try from a client's address; raises TooManyTries where it may not be made."""
        who = _network(address)
        # That of one address first: who has used up the own tries takes none of everybody's.
        for limit, names in (*((limit, ("one", who)) for limit in OF_ONE), *((limit, ("all",)) for limit in OF_ALL)):
            if not self._limiter.hit(limit, *names):
                raise TooManyTries(seconds=self._wait(limit, *names))

    def succeeded(self, address: str) -> None:
        """The password was right: many may sign in from behind one address."""
        for limit in OF_ONE:
            self._limiter.clear(limit, "one", _network(address))

    def _wait(self, limit: RateLimitItem, *names: str) -> float:
        return max(1.0, self._limiter.get_window_stats(limit, *names).reset_time - time.time())


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped is not None or found.version == 4:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, SUBNET), strict=False))

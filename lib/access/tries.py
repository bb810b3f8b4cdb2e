"""How often the password may be tried: by one address, and by all of them together; by way of `limits`."""

import ipaddress
import time
from typing import NamedTuple

from lib.core.errors import TooManyTries


class Rate(NamedTuple):
    """At most so many tries within so many seconds."""

    amount: int
    seconds: int


OF_ONE = (Rate(5, 60), Rate(20, 3_600))
OF_ALL = (Rate(100, 60), Rate(1_000, 3_600))
"""Enough for a company in the morning, and 24,000 guesses a day for everybody who guesses."""
SUBNET = 64
"""Bits of an IPv6 address that one person's network has in common."""


class Tries:
    """Counts tries before they are made, so that no number of them at once gets past a limit."""

    def __init__(self) -> None:
        # Takes a fifth of a second, and nobody needs it who is alone.
        from limits import RateLimitItemPerSecond
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._of_one, self._of_all = (
            [RateLimitItemPerSecond(rate.amount, rate.seconds) for rate in rates] for rates in (OF_ONE, OF_ALL)
        )

    def take(self, address: str) -> None:
        """Count one try from a client's address; raises TooManyTries where it may not be made."""
        one, every = ("one", _network(address)), ("all",)
        # That of one address first: who has used up the own tries takes none of everybody's.
        for limit, names in (*((limit, one) for limit in self._of_one), *((limit, every) for limit in self._of_all)):
            if not self._limiter.hit(limit, *names):
                anew = self._limiter.get_window_stats(limit, *names).reset_time
                raise TooManyTries(seconds=max(1.0, anew - time.time()))

    def succeeded(self, address: str) -> None:
        """The password was right: many may sign in from behind one address."""
        for limit in self._of_one:
            self._limiter.clear(limit, "one", _network(address))


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped is not None or found.version == 4:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, SUBNET), strict=False))

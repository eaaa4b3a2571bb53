"""Where 429 is decided: a token bucket for each caller, in this process's memory.

Each worker process counts for itself, so all of them together let through ``WORKERS`` times as
much. That saves every write a query; a limit that holds across processes belongs in the proxy.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address

from service.errors import TooManyRequests

# Buckets that are kept; guessed. The one that was not used for longest is dropped, and is full when
# it is used again.
_REMEMBERED = 10_000


class RateLimit:
    """At most ``per_minute`` calls for each key, which may come in one burst; 0 sets no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = per_minute
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> None:
        """Count one call. Raises :class:`TooManyRequests` if it is over the limit."""
        if not self._capacity:
            return
        now = self._clock()
        tokens, since = self._buckets.pop(key, (float(self._capacity), now))
        tokens = min(self._capacity, tokens + (now - since) * self._capacity / 60)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = (1 - tokens) * 60 / self._capacity
            raise TooManyRequests(
                f"more than {self._capacity} in a minute; try again in {math.ceil(wait)} s", wait
            )


def network_of(address: str) -> str:
    """The key to count an address under: itself, or the /64 network of an IPv6 address, since one
    caller usually has all addresses of such a network."""
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex(":", 2))

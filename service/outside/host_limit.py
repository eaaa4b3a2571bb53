"""Limits the calls to one host at a time, however many messages link to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gevent.lock import BoundedSemaphore


class HostLimit:
    """At most ``per_host`` calls to each host at a time, in this process; the others wait."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._calls: Counter[str] = Counter()  # those that wait are counted too
        self._hosts: dict[str, BoundedSemaphore] = {}

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Wait for a free slot of the host, and have it for the length of the block."""
        self._calls[host] += 1
        slot = self._hosts.setdefault(host, BoundedSemaphore(self._per_host))
        try:
            with slot:
                yield
        finally:
            self._calls[host] -= 1
            if not self._calls[host]:
                del self._calls[host], self._hosts[host]

    def busy_hosts(self) -> list[str]:
        """The hosts without a free slot."""
        return [host for host, calls in self._calls.items() if calls >= self._per_host]

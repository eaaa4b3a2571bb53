"""How many calls to one host at once: what a site meets must not grow with the links to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gevent.lock import BoundedSemaphore


class HostLimit:
    """At most ``per_host`` visits to each host at a time, in this process; the others wait."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._visits: Counter[str] = Counter()  # those that wait included
        self._hosts: dict[str, BoundedSemaphore] = {}

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Wait for one's turn, and have it for the length of the block."""
        self._visits[host] += 1
        turn = self._hosts.setdefault(host, BoundedSemaphore(self._per_host))
        try:
            with turn:
                yield
        finally:
            self._visits[host] -= 1
            if not self._visits[host]:
                del self._visits[host], self._hosts[host]

    def busy_hosts(self) -> list[str]:
        """The hosts where one would have to wait."""
        return [host for host, visits in self._visits.items() if visits >= self._per_host]

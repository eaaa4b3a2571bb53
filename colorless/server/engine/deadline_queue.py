"""Connections that wait for their client, in the order in which their time runs out."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Parked(Generic[T]):
    """What waits here waits equally long, so insertion order is deadline order.

    Parking costs a dictionary entry and no timer: a worker has thousands of idle connections and
    looks for expired ones every half second.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: dict[T, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def add(self, item: T) -> None:
        """Park ``item``, counting its time from now."""
        self._since.pop(item, None)
        self._since[item] = time.monotonic()

    def discard(self, item: T) -> None:
        """Take ``item`` out, if it is here."""
        self._since.pop(item, None)

    def expired(self, seconds: float | None = None) -> list[T]:
        """What has been here for ``seconds`` (by default the time everything here has)."""
        limit = time.monotonic() - (self.seconds if seconds is None else seconds)
        due = []
        for item, since in self._since.items():
            if since > limit:
                break
            due.append(item)
        return due

"""Notices from one process of the service to all others.

outgoing    what waits to be sent: bounded, and one hint for each room
postgres    LISTEN/NOTIFY, for processes that have nothing but the database in common
nats        NATS core, for many machines

Delivery is best effort and outside every transaction: a backend that is away loses notices, never
a message, and delays nobody who publishes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from service.chat.notices import Notice

Receive = Callable[[list[Notice]], None]


class Fanout(Protocol):
    """A way to reach the other processes."""

    def publish(self, notice: Notice) -> None:
        """Send it soon. Never waits, never raises; may reach this process as well."""

    def listen(self, receive: Receive, recovered: Callable[[], None]) -> None:
        """Call ``receive`` for what others publish, in a green thread, from now on; and
        ``recovered`` whenever something may have been missed."""

    @property
    def connected(self) -> bool:
        """Whether what others publish is believed to arrive."""

    def close(self) -> None:
        """End its green threads and connections."""

"""Sockets that never block: the errors that say so, and watchers that wait for them."""

from __future__ import annotations

import ssl
from typing import Any

READ, WRITE = 1, 2  # libev's events
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""Exceptions that mean that the call would block."""


class Watchers:
    """A read and a write watcher of the hub's for one descriptor, kept as long as that is open.

    Only who currently uses the descriptor starts them: ``hub.wait(watchers.read)``. ``close()``
    comes before the descriptor is closed.
    """

    __slots__ = ("descriptor", "hub", "read", "write")

    def __init__(self, hub: Any, descriptor: int) -> None:
        self.hub = hub
        self.descriptor = descriptor
        self.read = hub.loop.io(descriptor, READ)
        self.write = hub.loop.io(descriptor, WRITE)

    def close(self) -> None:
        """Give them back to the hub, before the descriptor's number is used for another file."""
        self.read.close()
        self.write.close()

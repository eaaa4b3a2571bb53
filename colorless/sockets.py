"""Sockets that never block: the errors that say so, and watchers that wait for them."""

from __future__ import annotations

import ssl
from typing import Any

READ, WRITE = 1, 2  # libev's events
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""Exceptions that mean that the call would block."""


class Watchers:
    """A read watcher and a write watcher for one descriptor, to be kept as long as it is open.

    ``hub.wait(watchers.read)`` waits until it can be read; one green thread at a time may do so.

    :param hub: gevent's, as of ``gevent.get_hub()``.
    :param descriptor: its number. Call ``close()`` before closing it.
    """

    __slots__ = ("descriptor", "hub", "read", "write")

    def __init__(self, hub: Any, descriptor: int) -> None:
        self.hub = hub
        self.descriptor = descriptor
        self.read = hub.loop.io(descriptor, READ)
        self.write = hub.loop.io(descriptor, WRITE)

    def close(self) -> None:
        """Free the watchers, before the descriptor is closed and its number is used again."""
        self.read.close()
        self.write.close()

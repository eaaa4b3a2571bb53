"""What it takes to use a socket that never blocks: the system's own calls, and two watchers."""

from __future__ import annotations

import ssl
from typing import Any

from gevent import socket

READ, WRITE = 1, 2  # libev's events
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What it raises in place of waiting."""


def bare(sock: Any) -> Any:
    """What of ``sock`` asks the system directly: nothing of what gevent's does around it, which is
    to wait. A subclass of gevent's may have methods of its own, and stays as it is."""
    return sock._sock if type(sock) is socket.socket else sock


class Watchers:
    """The hub's, made once and kept as long as the socket: one for reading, one for writing; only
    who currently uses the socket starts them."""

    __slots__ = ("descriptor", "hub", "read", "write")

    def __init__(self, hub: Any, descriptor: int) -> None:
        self.hub = hub
        self.descriptor = descriptor
        self.read = hub.loop.io(descriptor, READ)
        self.write = hub.loop.io(descriptor, WRITE)

    def close(self) -> None:
        """Give them back to the loop, before the socket's number is used for another one."""
        self.read.close()
        self.write.close()

"""The hub's two watchers of a socket, made once and kept as long as the socket."""

from __future__ import annotations

from typing import Any

READ, WRITE = 1, 2  # libev's events


class Watchers:
    """One for reading, one for writing; only who currently uses the socket starts them."""

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

"""For authors of pools and drivers: how long a wait may take, and how to wait without blocking.

What waits through a socket, a lock or a queue of the standard library needs none of this. Code
that waits by other means does, to keep the caller's deadline (:func:`colorless.fail_after`):

    with limit(timeout, TimeoutError("no answer")):   # or the deadline, if that is sooner
        wait_readable(connection.fileno())

- :func:`current_deadline`: when the caller's deadline passes.
- :func:`remaining`: how many seconds that leaves.
- :func:`limit`: a ``with`` block whose waits end with the deadline, or earlier.
- :func:`inherited_limit`: the same for a callback, which has no block of its own.
- :func:`wait_readable` and :func:`wait_writable`: wait for a descriptor.
- :class:`Watchers`: the same for code that waits for one descriptor again and again.
"""

from __future__ import annotations

from typing import Protocol

from gevent import get_hub

from colorless.deadlines import current_deadline, inherited_limit, limit, remaining
from colorless.sockets import READ, WRITE, Watchers

__all__ = [
    "HasFileno",
    "Watchers",
    "current_deadline",
    "inherited_limit",
    "limit",
    "remaining",
    "wait_readable",
    "wait_writable",
]


class HasFileno(Protocol):
    """An object with a file descriptor: a socket, a pipe, a connection."""

    def fileno(self) -> int:
        """The descriptor's number."""


def wait_readable(fd: int | HasFileno) -> None:
    """Wait until ``fd`` can be read without blocking, or has come to its end.

    Only the calling green thread waits.

    :param fd: a descriptor, or an object that has one. It must stay open meanwhile.
    :raises DeadlineExceeded: the caller's deadline has passed.
    """
    _wait(fd, READ)


def wait_writable(fd: int | HasFileno) -> None:
    """Wait until ``fd`` can be written to without blocking; as :func:`wait_readable`."""
    _wait(fd, WRITE)


def _wait(fd: int | HasFileno, event: int) -> None:
    hub = get_hub()
    watcher = hub.loop.io(fd if isinstance(fd, int) else fd.fileno(), event)
    try:
        with limit(None):
            hub.wait(watcher)
    finally:
        watcher.close()

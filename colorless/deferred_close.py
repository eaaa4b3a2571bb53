"""``os.close`` as gevent patches it, without the hub going to sleep before it is done.

Since 25.8.1 gevent closes a descriptor behind the hub's next look at the others, in case one of
its watchers has it. That look waits for something to happen; and if what is waited for is that very
close, as who reads from the other end of a pipe does, nothing ever happens.
"""

from __future__ import annotations

import functools
import os

import gevent

from colorless.compat.gevent import get_hub_if_exists


def install() -> None:
    """Replace ``os.close``, which is gevent's by now."""
    deferring = os.close

    @functools.wraps(deferring)
    def close(fd: int) -> None:
        deferring(fd)
        hub = get_hub_if_exists()
        if hub is not None:
            # As long as a watcher is idle, the hub looks at its descriptors without waiting.
            idle = hub.loop.idle()
            idle.start(idle.close)

    gevent.os.close = os.close = close

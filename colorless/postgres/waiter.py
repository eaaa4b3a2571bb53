"""Tickets of the ledger's queue whose owners sleep until they are served, or have waited too long.

All who queue for one pool wait equally long, so the first in the queue is the first to give up,
and one timer does for all of them.
"""

from __future__ import annotations

import time
from typing import Any

from gevent import get_hub
from gevent.hub import Waiter as Sleep

from colorless.lowlevel import inherited_limit
from colorless.postgres.connection import Connection
from colorless.postgres.ledger import Ledger, Ticket


class Waiter(Ticket[Connection]):
    """A ticket whose owner sleeps in :meth:`wait`. ``late`` is whether its time was up."""

    __slots__ = ("_hub", "_sleep", "late")

    def __init__(self, expires: float) -> None:
        super().__init__(expires)
        self.late = False
        self._hub = get_hub()
        self._sleep = Sleep(self._hub)

    def wait(self) -> None:
        """Sleep until :func:`wake` is called. Raises ``DeadlineExceeded``."""
        timer = inherited_limit()
        try:
            self._sleep.get()
        finally:
            if timer is not None:
                timer.close()

    def wake(self) -> None:
        """Wake the owner, in the next iteration of its hub."""
        loop = self._hub.loop
        # Each operating-system thread has a hub of its own.
        later = loop.run_callback if self._hub is get_hub() else loop.run_callback_threadsafe
        later(self._sleep.switch, None)


def wake(ticket: Ticket[Connection] | None) -> None:
    """Wake the owner of ``ticket``, if it is one."""
    if ticket is not None:
        assert isinstance(ticket, Waiter)
        ticket.wake()


class Expiry:
    """One timer that wakes the owners of expired tickets."""

    def __init__(self, ledger: Ledger[Connection]) -> None:
        self._ledger = ledger
        self._timer: Any = None

    def watch(self) -> None:
        """Start the timer for the first ticket in the queue, if it does not run."""
        if self._timer is None:
            first = next(iter(self._ledger.waiting))
            self._timer = get_hub().loop.timer(max(first.expires - time.monotonic(), 0.0))
            self._timer.start(self._on_time)

    def _on_time(self) -> None:
        self._timer.close()
        self._timer = None
        for ticket in self._ledger.take_late(time.monotonic()):
            assert isinstance(ticket, Waiter)
            ticket.late = True
            ticket.wake()
        if self._ledger.waiting:
            self.watch()

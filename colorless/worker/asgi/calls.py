"""The tasks that call the application: at most so many at once.

Each starts with an empty context of its own, so nothing that one request keeps in a ``ContextVar``
is seen by the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context

import gevent

from colorless.worker.asgi.call import Call
from colorless.worker.asgi.connection import ASGIConnection


class Calls:
    """Runs at most ``limit`` calls at once; the others wait in the order in which they came.

    What the WSGI worker's crew of green threads is, for tasks. ``has_room`` is called when a call
    has ended and no other waits.
    """

    def __init__(
        self, limit: int, has_room: Callable[[], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.limit = limit
        self._has_room = has_room
        self._loop = loop
        self._hub_loop = gevent.get_hub().loop
        self.busy: set[Call] = set()
        self._queue: deque[ASGIConnection] = deque()

    @property
    def full(self) -> bool:
        """Whether a call that comes now has to wait."""
        return len(self.busy) >= self.limit

    @property
    def load(self) -> int:
        """Calls that run or wait."""
        return len(self.busy) + len(self._queue)

    def start(self, connection: ASGIConnection) -> None:
        """Call the application for the request of ``connection`` soon, or queue it."""
        if len(self.busy) >= self.limit or self._queue:
            self._queue.append(connection)
        else:
            self._run(connection)

    def _run(self, connection: ASGIConnection) -> None:
        call = Call(connection)
        self.busy.add(call)
        call.task = self._loop.create_task(call.run(), context=Context())

    def left(self, call: Call) -> None:
        """``call`` has ended."""
        self.busy.discard(call)
        if self._queue:
            self._hub_loop.run_callback(self._start_next)
        else:
            self._has_room()

    def _start_next(self) -> None:
        while self._queue and len(self.busy) < self.limit:
            self._run(self._queue.popleft())

    def cut_off(self, seconds: float) -> None:
        """Cancel what runs, and wait for its clean-up as long as that."""
        for call in self.busy:
            call.task.cancel()
        with gevent.Timeout(seconds, False):
            while self.busy:
                gevent.sleep(0.01)

    def close(self) -> None:
        """Nothing rests here."""

"""The tasks that call the application: at most so many at once.

Each starts with an empty context of its own, so nothing that one request keeps in a ``ContextVar``
is seen by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

from colorless.server.asgi.call import Call
from colorless.server.asgi.connection import ASGIConnection
from colorless.server.engine.admission import Turns


class Calls(Turns[ASGIConnection, Call]):
    """Calls the application, each time in a task of its own."""

    def __init__(
        self, limit: int, has_room: Callable[[], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(limit, has_room)
        self._loop = loop

    def _run(self, connection: ASGIConnection) -> None:
        call = Call(connection)
        self.busy.add(call)
        call.task = self._loop.create_task(call.run(), context=Context())

    def left(self, call: Call) -> None:
        """``call`` has ended."""
        self._ended(call)

    def cut_off(self, seconds: float) -> None:
        """Cancel what goes on behind its response, and wait for the clean-up of all, as long as
        that. Who has a connection was cancelled with it; a second time would be in its clean-up."""
        for call in self.busy:
            if not call.has_connection:
                call.task.cancel()
        super().cut_off(seconds)

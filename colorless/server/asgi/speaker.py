"""Speaks ASGI: the application is called in a task for each request.

Each starts with an empty context of its own, so nothing that one request keeps in a ``ContextVar``
is seen by the next.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Any

from colorless.server.asgi.call import Call
from colorless.server.asgi.scope import ScopeReader
from colorless.server.asgi.shared import Service
from colorless.server.engine.connection import Connection, State
from colorless.server.engine.settings import Settings
from colorless.server.host import GunicornHost, Hooks


class ASGISpeaker:
    """Serves an ASGI application on an event loop whose tasks may wait green."""

    def __init__(
        self,
        host: GunicornHost,
        application: Any,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        state: dict[str, Any],
    ) -> None:
        self.service = Service(
            host=host,
            hooks=Hooks(host),
            reader=ScopeReader(host.cfg, settings.head, state),
            application=application,
            loop=loop,
        )
        self.calls: set[Call] = set()

    def begin(self, connection: Connection) -> None:
        """As :class:`~colorless.server.engine.ports.Speaker` says."""
        call = Call(self.service, connection)
        self.calls.add(call)
        call.task = self.service.loop.create_task(self._serve(call), context=Context())

    def cut_off(self) -> None:
        """Cancel what goes on behind its response or its WebSocket. Who has a connection was
        cancelled with it; a second time would be in its clean-up."""
        for call in self.calls:
            if not call.has_connection or call.connection.state is State.CLOSED:
                call.abort()

    async def _serve(self, call: Call) -> None:
        try:
            if call.connection.begin(call):
                await call.run()
        except BaseException:
            # Something struck where nothing waits for it: a timer left behind, say.
            self.service.log.exception("Error handling request %s", call)
        finally:
            self.calls.discard(call)
            call.connection.server.ended()

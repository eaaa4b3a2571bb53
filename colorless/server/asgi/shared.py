"""What all calls of a worker are served with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from colorless.server.asgi.response import Response
from colorless.server.asgi.scope import Head, ScopeReader
from colorless.server.engine.connection import Connection
from colorless.server.engine.limits import ClientDisconnected
from colorless.server.host import GunicornHost, Hooks

Message = dict[str, Any]


class Disconnected(ClientDisconnected, OSError):
    """Raised by ``send()``: the client has gone. An ``OSError``, as ASGI 2.4 has it."""


@dataclass(slots=True)
class Service:
    """An application, and what is between it and the engine."""

    host: GunicornHost
    hooks: Hooks
    reader: ScopeReader
    application: Any
    loop: asyncio.AbstractEventLoop

    @property
    def log(self) -> Any:
        """gunicorn's log."""
        return self.host.log

    @property
    def cfg(self) -> Any:
        """gunicorn's settings."""
        return self.host.cfg


class Holder(Protocol):
    """A call, as a WebSocket sees it that has its connection."""

    service: Service
    connection: Connection
    response: Response
    """What refuses the WebSocket, if it is refused."""

    @property
    def head(self) -> Head:
        """The request."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``, waiting green. Raises :class:`Disconnected`."""

    def client_left(self) -> None:
        """Cancel the task later on: its client has gone."""

    def release(self, keep: bool) -> None:
        """Give the connection up, to another request if ``keep``. Twice is nothing."""

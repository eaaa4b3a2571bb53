"""What all calls of a worker are served with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from colorless.server.asgi.scope import Head, ScopeReader
from colorless.server.engine.connection import Connection
from colorless.server.host import GunicornHost, Hooks


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
    """A call, as what it speaks over its connection sees it."""

    service: Service
    connection: Connection
    has_connection: bool

    @property
    def head(self) -> Head:
        """The request."""

    def release(self, keep: bool) -> None:
        """Give the connection up, to another request if ``keep``. Twice is nothing."""

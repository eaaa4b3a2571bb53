"""Speaks WSGI: the application is called in a green thread for each request.

Each request starts with an empty context of its own, so nothing that one request keeps in a
``ContextVar`` or a thread-local is seen by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from colorless.greenthreads import begin
from colorless.server.engine.connection import Connection
from colorless.server.engine.settings import Settings
from colorless.server.host import GunicornHost, Hooks
from colorless.server.wsgi.environ import EnvironReader
from colorless.server.wsgi.exchange import Exchange, Service


class WSGISpeaker:
    """Serves a WSGI application."""

    def __init__(
        self, host: GunicornHost, application: Callable[..., Any], settings: Settings
    ) -> None:
        self.service = Service(
            host=host,
            hooks=Hooks(host),
            reader=EnvironReader(host.cfg, settings.head),
            application=application,
            cancelled_methods=settings.limits.cancelled_methods,
        )

    def begin(self, connection: Connection) -> None:
        """As :class:`~colorless.server.engine.ports.Speaker` says."""
        begin(self._serve, connection)

    def cut_off(self) -> None:
        """Nothing of a WSGI request goes on without its connection."""

    def _serve(self, connection: Connection) -> None:
        exchange = Exchange(self.service, connection)
        try:
            if connection.begin(exchange):
                keep = False
                try:
                    keep = exchange.serve()
                finally:
                    connection.served(keep)
        except BaseException:
            # Something struck where nothing waits for it: a timer left behind, say.
            self.service.host.log.exception("Error handling request %s", exchange)
        finally:
            connection.server.ended()

"""The gunicorn worker class for ASGI applications.

gunicorn --worker-class colorless.worker.asgi.ASGIWorker app:app
"""

from __future__ import annotations

import asyncio
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker as StockASGIWorker

from colorless.bridge import await_
from colorless.bridge.shared import current_loop
from colorless.server.asgi.calls import Calls
from colorless.server.asgi.connection import ASGIConnection
from colorless.server.asgi.lifespan import Lifespan
from colorless.server.asgi.scope import ScopeReader
from colorless.server.engine.drain import MARGIN
from colorless.server.gunicorn import WSGIWorker


class ASGIWorker(WSGIWorker):
    """Serves an ASGI application on a loop in which what blocks is only its own request.

    That loop is the one that plain code reaches with ``await_``.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker would silently not do."""
        if cfg.protocol != "http" or list(cfg.http_protocols) != ["h1"]:
            raise RuntimeError(
                "colorless.worker.asgi.ASGIWorker speaks HTTP/1.1 and WebSocket. For HTTP/2 or "
                "uwsgi put a proxy in front of it, or use gunicorn's on the same loop: "
                'worker_class = "colorless.worker.asgi.StockASGIWorker"'
            )

    crew: Calls  # type: ignore[assignment]
    reader: ScopeReader
    asgi: Any

    def load_wsgi(self) -> None:
        """Load the application; under ``--reload``, one that tells what is wrong with it."""
        try:
            self.asgi = self.app.wsgi()
        except SyntaxError as error:
            if not self.cfg.reload:
                raise
            self.log.exception(error)
            if self.reloader is not None and error.filename is not None:
                # It was not imported, so the reloader would not see that it was mended.
                self.reloader.add_extra_file(error.filename)
            self.asgi = self._make_error_app(str(error))

    _make_error_app = StockASGIWorker._make_error_app

    def run(self) -> None:
        """Start the application, serve, drain, and end the application."""
        super().run()
        await_(self.lifespan.end())
        await_(_cancel_all(MARGIN / 2))

    def _prepare(self) -> None:
        super()._prepare()
        cfg = self.cfg
        self.asyncio_loop = current_loop()
        self.crew = Calls(cfg.worker_connections, self.door.reopen, self.asyncio_loop)
        self.reader = ScopeReader(cfg)
        self.state: dict[str, Any] = {}
        self.lifespan = Lifespan(self)
        await_(self.lifespan.begin())

    def accepted(self, client: Any, peer: Any, listener: Any) -> None:
        """A client has connected."""
        connection = ASGIConnection(self, client, peer, listener)
        self.connections.add(connection)
        self.heads.add(connection)


async def _cancel_all(seconds: float) -> None:
    """Cancel the tasks that the application has left, and wait for them a little."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)

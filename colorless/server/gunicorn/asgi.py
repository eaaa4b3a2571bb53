"""The gunicorn worker class for ASGI applications.

gunicorn --worker-class colorless.worker.asgi.ASGIWorker app:app
"""

from __future__ import annotations

from typing import Any

from colorless.bridge import await_
from colorless.bridge.shared import current_loop
from colorless.server.asgi.lifespan import Lifespan, cancel_all
from colorless.server.asgi.speaker import ASGISpeaker
from colorless.server.asgi.unloadable import Unloadable
from colorless.server.engine.connection import Connection
from colorless.server.engine.drain import MARGIN
from colorless.server.engine.ports import Speaker
from colorless.server.engine.server import Server
from colorless.server.engine.settings import Settings
from colorless.server.gunicorn.worker import EngineWorker, refuse_other_protocols


class ASGIWorker(EngineWorker):
    """Serves an ASGI application, each request as a task: ``gunicorn --worker-class
    colorless.worker.asgi.ASGIWorker``.

    What blocks in a request holds up that request alone. The event loop is the one that plain code
    reaches with ``await_``. ``limits`` are those of the WSGI worker.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asgi: Any = None
        # What the application keeps from its lifespan for its requests.
        self.state: dict[str, Any] = {}
        self._lifespan: Lifespan | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker would silently not do."""
        refuse_other_protocols(
            cfg,
            "colorless.worker.asgi.ASGIWorker speaks HTTP/1.1 and WebSocket",
            "use gunicorn's on the same loop: "
            'worker_class = "colorless.worker.asgi.StockASGIWorker"',
        )

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
            self.asgi = Unloadable(str(error))

    def speaker(self, settings: Settings) -> Speaker[Connection]:
        """As the base class says."""
        return ASGISpeaker(self, self.asgi, settings, current_loop(), self.state)

    def prepare(self) -> Server:
        """As the base class does, and start the application."""
        server = super().prepare()
        self._lifespan = Lifespan(self.asgi, self.cfg.asgi_lifespan, self.log, self.state)
        await_(self._lifespan.begin())
        return server

    def run(self) -> None:
        """Start the application, serve, drain, and end the application."""
        super().run()
        if self._lifespan is not None:
            await_(self._lifespan.end())
        await_(cancel_all(MARGIN / 2))

"""The gunicorn worker class for WSGI applications.

gunicorn --worker-class colorless.worker.WSGIWorker app:app
"""

from __future__ import annotations

from typing import Any

from colorless.server.engine.connection import Connection
from colorless.server.engine.ports import Speaker
from colorless.server.engine.settings import Settings
from colorless.server.gunicorn.worker import EngineWorker, refuse_other_protocols
from colorless.server.wsgi.speaker import WSGISpeaker


class WSGIWorker(EngineWorker):
    """Serves a WSGI application, each request in a green thread: ``gunicorn --worker-class
    colorless.worker.WSGIWorker``.

    To change its deadlines, subclass it and set ``limits`` to other
    :class:`~colorless.worker.Limits`.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker would silently not do."""
        refuse_other_protocols(
            cfg,
            "colorless.worker.WSGIWorker speaks HTTP/1.1",
            'use gunicorn\'s own: worker_class = "gevent"',
        )

    def speaker(self, settings: Settings) -> Speaker[Connection]:
        """As the base class says."""
        return WSGISpeaker(self, self.wsgi, settings)

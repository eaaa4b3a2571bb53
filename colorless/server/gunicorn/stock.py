"""gunicorn's own ASGI worker with its event loop on the hub, for what ours does not speak."""

from __future__ import annotations

import asyncio

from colorless.compat.gunicorn_asgi import StockASGIWorker as GunicornASGIWorker
from colorless.loop import HubLoop
from colorless.patched import require_patched


class StockASGIWorker(GunicornASGIWorker):
    """gunicorn's own ASGI worker on a :class:`~colorless.loop.HubLoop`, for HTTP/2 and uwsgi.

    The process has to be patched already, as ``colorless run`` does. gunicorn's setting
    ``asgi_loop`` is ignored.
    """

    def _setup_event_loop(self) -> None:
        require_patched("colorless.worker.asgi.StockASGIWorker")
        self.loop = HubLoop()
        asyncio.set_event_loop(self.loop)

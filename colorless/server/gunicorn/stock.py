"""gunicorn's own ASGI worker with its event loop on the hub, for what ours does not speak."""

from __future__ import annotations

import asyncio

from colorless.compat.gunicorn_asgi import StockASGIWorker as GunicornASGIWorker
from colorless.loop import HubLoop
from colorless.patched import require_patched


class StockASGIWorker(GunicornASGIWorker):
    """Serves an ASGI application on a :class:`~colorless.loop.HubLoop`, over HTTP/2 and uwsgi too.

    The process has to be patched already, as ``colorless run`` does it. ``asgi_loop`` is ignored:
    the loop is the point of this worker.
    """

    def _setup_event_loop(self) -> None:
        require_patched("colorless.worker.asgi.StockASGIWorker")
        self.loop = HubLoop()
        asyncio.set_event_loop(self.loop)

"""gunicorn's ASGI worker with its event loop on the hub: what blocks in it no longer blocks it."""

from __future__ import annotations

import asyncio

from gunicorn.workers.gasgi import ASGIWorker as GunicornASGIWorker

from colorless.loop import HubLoop
from colorless.patch import require_patched


class ASGIWorker(GunicornASGIWorker):
    """Serves an ASGI application on a :class:`~colorless.loop.HubLoop`.

    HTTP, WebSockets and the lifespan protocol are gunicorn's own. ``asgi_loop`` is ignored: the
    loop is the point of this worker.
    """

    def _setup_event_loop(self) -> None:
        require_patched("colorless.worker.asgi.ASGIWorker")
        self.loop = HubLoop()
        asyncio.set_event_loop(self.loop)

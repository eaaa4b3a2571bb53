"""gunicorn's own ASGI worker with its event loop on the hub, for what ours does not speak."""

from __future__ import annotations

from colorless.compat.gunicorn_asgi import StockASGIWorker as GunicornASGIWorker
from colorless.patched import require_patched


class StockASGIWorker(GunicornASGIWorker):
    """Serves an ASGI application on the hub's loop, over HTTP/2 and uwsgi too.

    The process has to be patched already, as ``colorless run`` does it. ``asgi_loop`` is ignored:
    the loop is the point of this worker.
    """

    def init_process(self) -> None:
        """Have gunicorn make the loop of a patched process, which is a ``HubLoop``."""
        require_patched("colorless.worker.asgi.StockASGIWorker")
        self.cfg.set("asgi_loop", "asyncio")
        super().init_process()

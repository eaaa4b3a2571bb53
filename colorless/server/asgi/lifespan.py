"""The start and the end of an application, by gunicorn's lifespan manager and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.arbiter import Arbiter
from gunicorn.asgi.lifespan import LifespanManager, LifespanStartupFailed

if TYPE_CHECKING:
    from colorless.server.asgi.worker import ASGIWorker


class Lifespan:
    """The lifespan of one worker's application, as far as it takes part (``asgi_lifespan``)."""

    def __init__(self, worker: ASGIWorker) -> None:
        self._worker = worker
        self._manager: LifespanManager | None = None

    async def begin(self) -> None:
        """Start the application. Raises ``SystemExit``, which ends gunicorn, when it says that it
        cannot start, or does not take part although ``asgi_lifespan`` is on."""
        worker, mode = self._worker, self._worker.cfg.asgi_lifespan
        if mode == "off":
            return
        manager = LifespanManager(worker.asgi, worker.log, worker.state)
        try:
            await manager.startup()
        except Exception as error:
            if mode == "on" or isinstance(error, LifespanStartupFailed):
                worker.log.error("ASGI lifespan startup failed: %s", error)
                raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error
            worker.log.debug("ASGI lifespan not supported by app: %s", error)
            return
        self._manager = manager

    async def end(self) -> None:
        """Let the application end what it began."""
        if self._manager is None:
            return
        try:
            await self._manager.shutdown()
        except Exception:
            self._worker.log.exception("ASGI lifespan shutdown error")

"""The start and the end of an application, by gunicorn's lifespan manager and its settings."""

from __future__ import annotations

import asyncio
from typing import Any

from colorless.compat.gunicorn_asgi import (
    WORKER_BOOT_ERROR,
    LifespanManager,
    LifespanStartupFailed,
)


class Lifespan:
    """The lifespan of one worker's application, as far as it takes part (``asgi_lifespan``)."""

    def __init__(self, application: Any, mode: str, log: Any, state: dict[str, Any]) -> None:
        self._application = application
        self._mode = mode
        self._log = log
        self._state = state
        self._manager: LifespanManager | None = None

    async def begin(self) -> None:
        """Start the application. Raises ``SystemExit``, which ends gunicorn, when it says that it
        cannot start, or does not take part although ``asgi_lifespan`` is on."""
        if self._mode == "off":
            return
        manager = LifespanManager(self._application, self._log, self._state)
        try:
            await manager.startup()
        except Exception as error:
            if self._mode == "on" or isinstance(error, LifespanStartupFailed):
                self._log.error("ASGI lifespan startup failed: %s", error)
                raise SystemExit(WORKER_BOOT_ERROR) from error
            self._log.debug("ASGI lifespan not supported by app: %s", error)
            return
        self._manager = manager

    async def end(self) -> None:
        """Let the application end what it began."""
        if self._manager is None:
            return
        try:
            await self._manager.shutdown()
        except Exception:
            self._log.exception("ASGI lifespan shutdown error")


async def cancel_all(seconds: float) -> None:
    """Cancel the tasks that the application has left, and wait for them a little."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)

"""The event loop that plain code talks to: one per process, or that of the coroutine it is in."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from gevent.hub import get_hub
from greenlet import getcurrent

from colorless.compat.asyncio import running_loop
from colorless.loop.hubloop import HubLoop
from colorless.patched import require_patched

_shared: HubLoop | None = None

_NOT_HERE = (
    "The shared loop runs in the main thread; in a real thread, as of offload(), use asyncio.run(…)"
)


def loop_of(awaitable: object) -> HubLoop:
    """The loop that ``awaitable`` is to run on: a future has one already."""
    if asyncio.isfuture(awaitable):
        return _reachable(awaitable.get_loop())
    return current_loop()


def current_loop() -> HubLoop:
    """The loop that plain code here talks to: its coroutine's, or the shared one of the process.

    Raises ``RuntimeError`` in a real thread, such as those of ``offload``, and in the hub itself.
    """
    loop = running_loop()
    if loop is None or not isinstance(loop, HubLoop):
        loop = _shared or _start_shared()
    hub = get_hub()
    if loop._hub is hub and getcurrent() is not hub:
        return loop
    return _reachable(loop)


def _reachable(loop: Any) -> HubLoop:
    hub = get_hub()
    if getcurrent() is hub:
        raise RuntimeError("a callback of the hub cannot wait: start a green thread that does")
    if not isinstance(loop, HubLoop) or loop._hub is not hub:
        raise RuntimeError(f"{loop!r} does not run in this thread. {_NOT_HERE}")
    return loop


def _start_shared() -> HubLoop:
    global _shared
    require_patched("colorless.bridge")
    if not get_hub().loop.default:
        raise RuntimeError(_NOT_HERE)
    _shared = HubLoop()
    _shared.run_in_background()
    return _shared


def _forget_shared() -> None:
    global _shared
    _shared = None


os.register_at_fork(after_in_child=_forget_shared)

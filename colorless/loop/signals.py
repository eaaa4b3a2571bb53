"""Signal handlers of an event loop, on the hub's own signal watchers."""

from __future__ import annotations

import signal
from asyncio import Handle, iscoroutine
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from gevent.hub import get_hub

from colorless.compat.asyncio import ChildWatcher
from colorless.loop.readers import WatchingLoop

_UNCATCHABLE = frozenset({signal.SIGKILL, signal.SIGSTOP})


class SignalLoop(WatchingLoop):
    """The part of a loop that listens to signals."""

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._signal_watchers: dict[int, Any] = {}

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., Any], *args: Any
    ) -> None:
        """Call ``callback`` in this loop when the process gets ``sig``.

        Raises ``ValueError`` for a number that is no signal and ``RuntimeError`` for one that
        cannot be caught, or outside the main thread, which alone gets signals.
        """
        if iscoroutine(callback) or iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check_signal(sig)
        self._check_closed()
        if isinstance(getattr(callback, "__self__", None), ChildWatcher):
            return  # it would take child processes away from gevent, which waits for them
        if sig in _UNCATCHABLE:
            raise RuntimeError(f"sig {sig} cannot be caught")
        hub = get_hub()
        if not hub.loop.default:
            raise RuntimeError("signals only reach the loops of the main thread")
        self._stop_watching(sig)
        self._signal_handlers[sig] = Handle(callback, args, self)
        watcher = self._signal_watchers[sig] = hub.loop.signal(sig, ref=False)
        watcher.start(self._handle_signal, sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """Give ``sig`` its default meaning back; returns whether there was a handler."""
        self._check_signal(sig)
        if self._signal_handlers.pop(sig, None) is None:
            return False
        self._stop_watching(sig)
        default = signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL
        if sig != signal.SIGCHLD:  # libev needs that one for its child processes
            signal.signal(sig, default)
        return True

    def _stop_watching(self, sig: int) -> None:
        watcher = self._signal_watchers.pop(sig, None)
        if watcher is not None:
            watcher.stop()
            watcher.close()

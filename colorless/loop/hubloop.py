"""HubLoop: an asyncio event loop that is the gevent hub.

Where asyncio's own loop waits in a selector, this one has nothing to wait in: the hub waits, and
puts callbacks on the ready queue when a descriptor is ready or a timer is due. What remains of a
turn of the loop is the *burst*: everything that is ready now, in asyncio's order, run by a runner
(see runner.py). What a burst makes ready runs in the next one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque

from gevent.hub import Waiter, get_hub
from greenlet import getcurrent

from colorless.compat.gevent import pending_callbacks
from colorless.loop.executor import ExecutorLoop
from colorless.loop.ready_queue import BurstLoop
from colorless.loop.runner import current_pool
from colorless.loop.signals import SignalLoop
from colorless.loop.subprocesses import ChildrenLoop
from colorless.loop.tasks import TaskLoop
from colorless.loop.thread_idents import forget_ident, ident_for
from colorless.loop.transport import TransportLoop


class HubLoop(ExecutorLoop, SignalLoop, ChildrenLoop, TransportLoop, TaskLoop, BurstLoop):
    """An asyncio event loop in which a callback or coroutine may call what blocks: it alone waits,
    and the loop goes on.

    ``selector`` is taken, and ignored, to stand in for ``asyncio.SelectorEventLoop``.
    """

    def run_forever(self) -> None:
        """Run until :meth:`stop` is called; only the calling green thread waits for that."""
        self._check_closed()
        self._check_running()
        hub = get_hub()
        if getcurrent() is hub:
            raise RuntimeError("an event loop cannot be run by a callback of the hub; spawn it")
        self._waiter = Waiter(hub)
        self._run_by = getcurrent()
        self._begin(ident_for(self, threading.current_thread(), alone=True))
        hub.loop.ref()  # a thread or a signal may be what ends the wait, so it is never hopeless
        try:
            self._waiter.get()
        finally:
            hub.loop.unref()
            self._waiter = self._run_by = None
            self._end()
            forget_ident(self)
            fatal, self._fatal = self._fatal, None
        if fatal is not None:
            raise fatal

    def run_in_background(self) -> None:
        """Run from now on, with nobody waiting for the end. Such a loop is never closed."""
        self._check_closed()
        self._check_running()
        self._begin(ident_for(self, threading.main_thread(), alone=False))

    def _check_running(self) -> None:
        # That another loop runs in this thread is no obstacle: it does so in other green threads.
        if self.is_running():
            raise RuntimeError("This event loop is already running")

    def _begin(self, ident: int) -> None:
        self._pool = pool = current_pool()
        self._thread_id = self._ident = ident
        hub = pool.hub
        self._run_callback = hub.loop.run_callback
        self._hub_callbacks = pending_callbacks(hub.loop)
        self._after_poll = hub.loop.idle(priority=hub.loop.MAXPRI)
        self._set_coroutine_origin_tracking(self._debug)
        self._watch_all(hub)
        _running.add(self)
        # As in asyncio the first turn sees the descriptors that are ready before it runs anything.
        self._go_after_poll(pool.take(self).go)

    def _end(self) -> None:
        _running.discard(self)
        self._armed = True
        self._stopping = False
        self._thread_id = None
        self._stop_alarm()
        self._unwatch_all()
        self._after_poll.close()
        self._set_coroutine_origin_tracking(False)
        self._pool.forget_loop(self)
        if self._pool.hooked is self:
            self._pool.hooked = None
            sys.set_asyncgen_hooks(None, None)

    def set_debug(self, enabled: bool) -> None:
        """As asyncio's."""
        # asyncio asks get_debug() for each future and task: bool() is False too, and is C.
        self.get_debug = _true if enabled else bool  # type: ignore[method-assign]
        super().set_debug(enabled)

    def stop(self) -> None:
        """Stop running after what is ready now has run."""
        self._stopping = True
        self._arm()


def _true() -> bool:
    return True


# The loops that run, and those that ran in the parent when this process was forked off.
_running: set[HubLoop] = set()
_inherited: list[HubLoop] = []


def _drop_inherited() -> None:
    """In a forked child: leave the parent's loops alone.

    They are stopped, so that the child does not read from its parent's sockets, and kept, since
    to close them or to collect their coroutines would say goodbye on these sockets.
    """
    for loop in list(_running):
        _inherited.append(loop)
        loop._ready = deque()
        loop._scheduled = []
        loop._end()


os.register_at_fork(after_in_child=_drop_inherited)

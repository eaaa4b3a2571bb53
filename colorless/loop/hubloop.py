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
from asyncio import Handle, base_events, events
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from gevent.hub import Waiter, get_hub
from greenlet import getcurrent

from colorless.loop.children import ChildrenLoop
from colorless.loop.executor import ExecutorLoop
from colorless.loop.runner import Runner, RunnerPool, current_pool
from colorless.loop.signals import SignalLoop
from colorless.loop.tasks import TaskLoop
from colorless.loop.timers import TimerLoop
from colorless.loop.watching import IoHandle

# Guessed: bursts in a row before the hub looks at its descriptors and timers again.
_BURSTS_PER_POLL = 16


class HubLoop(ExecutorLoop, SignalLoop, ChildrenLoop, TaskLoop, TimerLoop):
    """An asyncio event loop whose callbacks may wait green: only they wait, the loop goes on.

    ``selector`` is taken, and ignored, to stand in for ``asyncio.SelectorEventLoop``.
    """

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._pool: RunnerPool | None = None
        self._thread: threading.Thread | None = None
        self._fatal: BaseException | None = None
        self._waiter: Waiter | None = None
        self._bursts = 0

    # --- running -------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until :meth:`stop` is called; only the calling green thread waits for that."""
        self._check_closed()
        self._check_running()
        hub = get_hub()
        if getcurrent() is hub:
            raise RuntimeError("an event loop cannot be run by a callback of the hub; spawn it")
        self._waiter = Waiter(hub)
        self._begin(threading.current_thread())
        hub.loop.ref()  # a thread or a signal may be what ends the wait, so it is never hopeless
        try:
            self._waiter.get()
        finally:
            hub.loop.unref()
            self._waiter = None
            self._end()
            fatal, self._fatal = self._fatal, None
        if fatal is not None:
            raise fatal

    def run_in_background(self) -> None:
        """Run from now on, with nobody waiting for the end. Such a loop is never closed."""
        self._check_closed()
        self._check_running()
        self._begin(threading.main_thread())

    def _check_running(self) -> None:
        # That another loop runs in this thread is no obstacle: it does so in other green threads.
        if self.is_running():
            raise RuntimeError("This event loop is already running")

    def _begin(self, thread: threading.Thread) -> None:
        self._pool = pool = current_pool()
        self._thread = thread
        hub = pool.hub
        self._run_callback = hub.loop.run_callback
        self._after_poll = hub.loop.timer(0)
        self._thread_id = threading.get_ident()
        self._set_coroutine_origin_tracking(self._debug)
        self._watch_all(hub)
        _running.add(self)
        # As in asyncio the first turn sees the descriptors that are ready before it runs anything.
        self._after_poll.start(self._run_callback, self._burst)

    def _end(self) -> None:
        _running.discard(self)
        self._armed = True
        self._stopping = False
        self._thread_id = None
        self._stop_alarm()
        self._unwatch_all()
        self._after_poll.close()
        self._set_coroutine_origin_tracking(False)
        assert self._pool is not None
        if self._pool.hooked is self:
            self._pool.hooked = None
            sys.set_asyncgen_hooks(None, None)

    def stop(self) -> None:
        """Stop running after what is ready now has run."""
        self._stopping = True
        self._arm()

    def _interrupt(self, error: BaseException) -> None:
        """``SystemExit`` or ``KeyboardInterrupt`` left a callback: it ends ``run_forever``.

        A loop in the background goes on. Who waits for the task gets the error; what Control-C
        raised goes to the main green thread, as from any other.
        """
        if self._waiter is not None:
            self._fatal = error
            self.stop()
        elif isinstance(error, KeyboardInterrupt) and self._hub is not None:
            self._hub.handle_system_error(type(error), error)

    # --- bursts --------------------------------------------------------------------------

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self._run_callback(self._burst)

    def _burst(self) -> None:
        """Called by the hub: run what is ready."""
        if self._thread_id is None:
            return
        if self._fatal is None:
            self._pool.start(self)  # type: ignore[union-attr]
        else:
            self._stopped()

    def _wait(self) -> None:
        """Wait in the hub, for a burst that is scheduled to wake the caller.

        Called by who set ``_armed`` and made something ready: a switch straight into the burst
        is cheaper than one by way of the hub.
        """
        switch_out = getattr(getcurrent(), "switch_out", None)
        if switch_out is not None:
            switch_out()
        self._pool.start(self)  # type: ignore[union-attr]

    def _stopped(self) -> None:
        self._armed = True
        if self._waiter is None:
            self._end()
        else:
            self._run_callback(self._waiter.switch, None)

    def _drain(self, runner: Runner) -> None:
        """Run, in ``runner``, everything that is ready now, and see to the next burst."""
        if self._scheduled:
            self._collect_due()
        events._set_running_loop(self)
        pool = runner.pool
        if pool.hooked is not self:
            self._set_hooks(pool)
        ready = self._ready
        todo = len(ready)
        while todo:
            todo -= 1
            handle = ready.popleft()
            if handle._cancelled:
                continue
            runner.handle = handle
            try:
                if self._debug:
                    self._run_timed(handle, runner)
                else:
                    handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt) as error:
                todo = 0
                self._interrupt(error)
            except BaseException as error:
                self._failed(handle, error, pool)
            if runner.left:
                runner.finish()
                handle = runner.handle = None
                events._set_running_loop(None)
                return
        handle = runner.handle = None
        events._set_running_loop(None)
        if self._stopping:
            self._stopped()
        else:
            self._hand_on()

    def _hand_on(self) -> None:
        """A burst is over, or one of its callbacks waits: see to the next one."""
        if self._stopping and not self._ready:
            self._stopped()
        elif not self._ready:
            self._armed = False
        elif self._bursts < _BURSTS_PER_POLL:
            self._bursts += 1
            self._run_callback(self._burst)
        else:
            self._bursts = 0
            self._after_poll.start(self._run_callback, self._burst)
        if self._scheduled:
            self._set_alarm()

    def _run_timed(self, handle: Any, runner: Runner) -> None:
        """In debug mode, tell of callbacks that ran long without waiting."""
        self._current_handle = handle
        started = self.time()
        try:
            handle._context.run(handle._callback, *handle._args)
        finally:
            self._current_handle = None
        took = self.time() - started
        if took >= self.slow_callback_duration and not runner.left:
            asyncios: Any = base_events
            name = asyncios._format_handle(handle)
            asyncios.logger.warning("Executing %s took %.3f seconds", name, took)
        handle = None  # else an error's traceback, which knows this frame, keeps its task alive

    def _failed(self, handle: Any, error: BaseException, pool: RunnerPool) -> None:
        held_up = pool.blocked.get(id(handle._context))
        if held_up is not None and isinstance(error, RuntimeError):
            # Its context is in use by a callback that waits, so this one has not run yet.
            held_up.append((self, handle))
            return
        source = repr(handle)
        context: dict[str, Any] = {
            "message": f"Exception in callback {source}",
            "exception": error,
            "handle": handle,
        }
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        try:
            self.call_exception_handler(context)
        except (SystemExit, KeyboardInterrupt) as fatal:
            self._interrupt(fatal)

    def _requeue(self, handle: Handle) -> None:
        self._ready.append(handle)
        self._arm()

    def _set_hooks(self, pool: RunnerPool) -> None:
        pool.hooked = self
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook,
            finalizer=self._asyncgen_finalizer_hook,
        )

    # --- callbacks -----------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        """As asyncio's: first in, first out."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
        handle: Any = Handle(callback, args, self, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        self._ready.append(handle)
        if not self._armed:
            self._armed = True
            self._run_callback(self._burst)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        """As asyncio's: the way in from other threads and from signal handlers."""
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle: Any = Handle(callback, args, self, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        self._ready.append(handle)
        self._write_to_self()
        return handle

    def _write_to_self(self) -> None:
        hub = self._hub
        if hub is not None:
            hub.loop.run_callback_threadsafe(self._arm)

    def _check_thread(self) -> None:
        if self._hub is not None and self._hub is not get_hub():
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )

    def _on_ready(self, handle: IoHandle) -> None:
        """Called by the hub: a descriptor is ready."""
        self._ready.append(handle)
        if not self._armed:
            self._armed = True
            self._run_callback(self._burst)


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
        assert loop._pool is not None
        loop._pool.reset()


os.register_at_fork(after_in_child=_drop_inherited)

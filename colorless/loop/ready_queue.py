"""The ready queue: what call_soon adds to it runs in bursts, by one runner after another.

A burst is what is ready at its beginning, in asyncio's order. What it makes ready runs in the
next one, and between two bursts the hub runs its other green threads, if there are any to run.
"""

from __future__ import annotations

import sys
from asyncio import Handle
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Protocol

from gevent import Greenlet
from gevent.hub import Waiter, get_hub
from greenlet import greenlet

from colorless.compat.asyncio import set_running_loop, warn_of_slow_callback
from colorless.loop.readers import IoHandle, poller
from colorless.loop.runner import Runner, RunnerPool, raw_switch
from colorless.loop.timers import TimerLoop

# Guessed: bursts in a row before the hub looks at other green threads' descriptors and timers.
_BURSTS_PER_POLL = 16

_new_handle: Any = Handle.__new__

# Green threads that have no ``switch_out``, as gevent would find by looking for one.
_NEVER_PARK = frozenset({greenlet, Greenlet})


class Sleeper(Protocol):
    """A green thread that waits for a callback; ``caller`` is ``None`` once it does not."""

    caller: greenlet | None

    def wake(self) -> None:
        """Go on in the caller, if it still waits."""


class BurstLoop(TimerLoop):
    """The part of a loop that runs what is ready."""

    _pool: RunnerPool
    _run_callback: Callable[..., Any]  # the hub's
    _hub_callbacks: Any  # the queue that it adds to
    # Called when the hub has looked at its descriptors: an idle watcher that comes before all else.
    # (A timer of no time would do, but libev may then sleep for a millisecond.)
    _after_poll: Any

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._ident = 0  # what threading.get_ident() says in callbacks
        self._run_by: greenlet | None = None  # which waits in run_forever
        self._bursts = 0
        self._incoming: list[IoHandle] = []  # whose descriptors the hub has just found ready
        # Who waited for a callback that has run. The first is switched to straight from the end of
        # the burst, and stands here; others are woken by way of the hub.
        self._next: Sleeper | None = None
        self._waiter: Waiter | None = None  # in which run_forever waits
        self._fatal: BaseException | None = None  # what run_forever is to raise

    def _arm(self) -> None:
        """There is something to run: see to a burst, unless there is one already."""
        if not self._armed:
            self._armed = True
            self._run_callback(self._pool.take(self).go)

    def _wait(self, caller: greenlet) -> None:
        """Let ``caller``, the current greenlet, wait for a burst that will wake it.

        Called by who set ``_armed`` and made something ready: a switch straight into the burst
        is cheaper than one by way of the hub.
        """
        if type(caller) not in _NEVER_PARK:
            switch_out = getattr(caller, "switch_out", None)
            if switch_out is not None:
                switch_out()
        raw_switch(self._pool.take(self))

    def _burst(self, runner: Runner) -> bool:
        """Run, in ``runner``, what is ready now; returns whether the next burst is its as well."""
        if self._thread_id is None:
            return False  # the loop was stopped after this burst had been scheduled
        set_running_loop(self)
        if runner.pool.hooked is not self:
            self._set_hooks(runner.pool)
        again = over = True
        while again:
            if self._incoming:
                self._take_incoming()
            if self._scheduled:
                self._collect_due()
            todo = len(self._ready) if self._fatal is None else 0
            over = self._run_ready(todo, runner)
            again = over and self._goes_on()
        runner.handle = None
        set_running_loop(None)
        if not over:
            return False  # it waited, and who went on in its place has seen to the next burst
        if self._stopping:
            self._stopped()
            return False
        return self._hand_on(runner)

    def _take_incoming(self) -> None:
        """Let the callbacks of ready descriptors run, in the order that the kernel reported.

        libev calls back in the reverse of it.
        """
        self._ready.extend(reversed(self._incoming))
        self._incoming.clear()

    def _goes_on(self) -> bool:
        """A burst is over: whether the next one begins here and now.

        So it does as long as the hub has nobody else to run: that saves the way through the hub.
        """
        if (
            not self._ready
            or self._hub_callbacks
            or self._stopping
            or self._next is not None
            or self._must_poll()
        ):
            return False
        self._bursts += 1
        return True

    def _must_poll(self) -> bool:
        """Whether the hub has to look at its descriptors before the next burst."""
        if self._bursts < _BURSTS_PER_POLL and not self._io_is_ready():
            return False
        self._bursts = _BURSTS_PER_POLL
        return True

    def _run_ready(self, todo: int, runner: Runner) -> bool:
        """Run ``todo`` callbacks; returns whether this came to its end with none that waited."""
        ready = self._ready
        for _ in range(todo):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            runner.handle = handle
            try:
                if self._debug:
                    self._run_timed(handle, runner)
                else:
                    handle._context.run(handle._callback, *handle._args)
            except BaseException as error:
                self._failed(handle, error, runner.pool)
            if runner.left:
                runner.finish()
                return False
            if self._fatal is not None:
                break
        return True

    def _hand_on(self, runner: Runner | None = None) -> bool:
        """A burst is over, or one of its callbacks waits: see to the next one.

        Returns whether ``runner`` is to run it.
        """
        if self._scheduled:
            self._set_alarm()
        if not self._ready:
            if self._stopping:
                self._stopped()
            else:
                self._armed = False
            return False
        go = (self._pool.take(self) if runner is None else runner).go
        if self._must_poll():
            self._bursts = 0
            self._go_after_poll(go)
        else:
            self._bursts += 1
            self._run_callback(go)
        return True

    def _go_after_poll(self, go: Callable[[], Any]) -> None:
        self._after_poll.start(self._polled, go)

    def _polled(self, go: Callable[[], Any]) -> None:
        self._after_poll.stop()
        if self._poll_hub is None:
            self._poll_hub = poller(self._hub)
        self._run_callback(go)

    def _stopped(self) -> None:
        self._armed = True
        if self._waiter is None:
            self._end()
        else:
            self._run_callback(self._waiter.switch, None)

    def _end(self) -> None:
        raise NotImplementedError

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
            warn_of_slow_callback(handle, took)
        handle = None  # else an error's traceback, which knows this frame, keeps its task alive

    def _failed(self, handle: Any, error: BaseException, pool: RunnerPool) -> None:
        if isinstance(error, SystemExit | KeyboardInterrupt):
            self._interrupt(error)
            return
        held_up = pool.blocked.get(id(handle._context))
        if held_up is not None and isinstance(error, RuntimeError):
            # Its context is in use by a callback that waits, so this one has not run yet.
            held_up.append((self, handle))
            return
        context: dict[str, Any] = {
            "message": f"Exception in callback {handle!r}",
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

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        """As asyncio's: first in, first out."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle: Any
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
            handle = Handle(callback, args, self, context)
            del handle._source_traceback[-1]
        else:
            # What Handle.__init__ does, in less time: each step of each task makes one.
            handle = _new_handle(Handle)
            handle._callback = callback
            handle._args = args
            handle._loop = self
            handle._context = copy_context() if context is None else context
            handle._cancelled = False
            handle._source_traceback = handle._repr = None
        self._ready.append(handle)
        if not self._armed:
            self._arm()
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
        self._incoming.append(handle)
        if not self._armed:
            self._bursts = 0
            self._arm()

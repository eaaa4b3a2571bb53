"""Timers of an event loop: asyncio's heap of them, with one timer of the hub for the first."""

from __future__ import annotations

import heapq
from asyncio import BaseEventLoop, TimerHandle
from collections.abc import Callable
from contextvars import Context, copy_context
from time import monotonic
from typing import Any

from colorless.loop.readers import WatchingLoop

# asyncio's own figures: cancelled timers are swept out when there are many of them.
_MIN_SCHEDULED = 100
_MIN_CANCELLED_FRACTION = 0.5

_NEVER = float("inf")

_new_timer: Any = TimerHandle.__new__


class TimerLoop(WatchingLoop):
    """The part of a loop that calls back later."""

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        if type(self).time is BaseEventLoop.time:
            self.time = monotonic  # type: ignore[method-assign]
        # True while a burst is scheduled or runs, and while the loop does not run at all: in all
        # these cases a callback that gets ready has nothing to start, and a timer nothing to set.
        self._armed = True
        self._alarm: Any = None  # the timer of the hub, and when it will ring
        self._due = _NEVER

    def _arm(self) -> None:
        raise NotImplementedError

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """As asyncio's."""
        timer: Any
        if self._debug or self._closed or when is None:
            timer = super().call_at(when, callback, *args, context=context)
            if timer._source_traceback:
                del timer._source_traceback[-1]
        else:
            # What asyncio does, in less time: each timeout of each operation makes one.
            timer = _new_timer(TimerHandle)
            timer._callback = callback
            timer._args = args
            timer._loop = self
            timer._context = copy_context() if context is None else context
            timer._cancelled = False
            timer._source_traceback = timer._repr = None
            timer._when = when
            timer._scheduled = True
            heapq.heappush(self._scheduled, timer)
        if not self._armed:
            self._set_alarm()
        return timer

    def _collect_due(self) -> None:
        """Move the timers that are due to the ready queue."""
        scheduled = self._scheduled
        if (
            len(scheduled) > _MIN_SCHEDULED
            and self._timer_cancelled_count / len(scheduled) > _MIN_CANCELLED_FRACTION
        ):
            self._sweep_cancelled()
            scheduled = self._scheduled
        end = self.time() + self._clock_resolution
        while scheduled:
            timer = scheduled[0]
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            elif timer._when >= end:
                break
            else:
                self._ready.append(timer)
            heapq.heappop(scheduled)
            timer._scheduled = False

    def _sweep_cancelled(self) -> None:
        kept = []
        for timer in self._scheduled:
            if timer._cancelled:
                timer._scheduled = False
            else:
                kept.append(timer)
        heapq.heapify(kept)
        self._scheduled = kept
        self._timer_cancelled_count = 0

    def _set_alarm(self) -> None:
        """Let the hub's timer ring when the first timer is due."""
        when = self._scheduled[0]._when
        if when < self._due:
            self._stop_alarm()
            self._due = when
            self._alarm = self._hub.loop.timer(max(0.0, when - self.time()))  # type: ignore[union-attr]
            self._alarm.start(self._ring, update=True)

    def _stop_alarm(self) -> None:
        self._due = _NEVER
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def _ring(self) -> None:
        self._stop_alarm()
        self._arm()

"""``run_in_executor(None, …)`` and ``asyncio.to_thread``: a green thread for each call.

In a patched process every thread is a green thread, so these are too, and asyncio's thread pool
would only stand between (on CPython ≥ 3.13.12 and ≥ 3.14.3 its results are late as well, gevent
issue 2213). They have to be: what mostly runs there are synchronous clients, whose pooled green
connections belong to this thread's hub. Password hashes go on to real threads by themselves
(password_hashes.py); other work for real threads, CPU-bound or in C code that does not know gevent,
is what :func:`colorless.offload.offload` is for, or a loop's default executor (thread_executor.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

from colorless.compat.asyncio import as_future_error
from colorless.greenthreads import begin
from colorless.loop.readers import WatchingLoop


class ExecutorLoop(WatchingLoop):
    """The part of a loop that runs synchronous functions beside it."""

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._jobs = 0
        self._jobs_ended = Event()

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run ``func`` in a green thread of its own, or in ``executor`` if one is given or set.

        As with asyncio, a cancelled caller does not end a function that has begun.
        """
        if executor is not None or self._default_executor is not None:
            return super().run_in_executor(executor, func, *args)
        self._check_closed()
        if self.get_debug():
            self._check_callback(func, "run_in_executor")
        self._check_default_executor()
        future = self.create_future()
        self._jobs += 1
        gevent.get_hub().loop.run_callback(begin, self._run_job, (future, func, args))
        return future

    def _run_job(self, job: tuple[asyncio.Future[Any], Callable[..., Any], Any]) -> None:
        future, func, args = job
        try:
            if not future.cancelled():
                self._call(future, func, args)
        finally:
            self._jobs -= 1
            if not self._jobs:
                self._jobs_ended.set()

    def _call(self, future: asyncio.Future[Any], func: Callable[..., Any], args: Any) -> None:
        try:
            result = func(*args)
        except BaseException as error:
            if not future.done() and not self.is_closed():
                future.set_exception(_settable(error))
        else:
            if not future.done() and not self.is_closed():
                future.set_result(result)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait until the functions that run have ended, and take no more.

        ``timeout`` limits the wait, in seconds.
        """
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            limit = () if timeout is None else (timeout,)
            await super().shutdown_default_executor(*limit)
        if self._jobs:
            self._jobs_ended.clear()
            self._jobs_ended.wait(timeout)


def _settable(error: BaseException) -> BaseException:
    """``error`` as a future of asyncio can hold it, in asyncio's own classes where it has them."""
    if isinstance(error, StopIteration):
        # It would end the coroutine that awaits it.
        wrapped = RuntimeError("the function raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    return as_future_error(error)

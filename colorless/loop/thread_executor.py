"""An executor of real threads, for a loop whose ``asyncio.to_thread`` is to compute in parallel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import gevent

from colorless.offload import THREADS, offload

P = ParamSpec("P")
T = TypeVar("T")


class RealThreads(ThreadPoolExecutor):
    """The real threads of :func:`offload`, as an executor of ``concurrent.futures``.

        loop.set_default_executor(RealThreads())

    makes ``asyncio.to_thread`` and ``run_in_executor(None, …)`` of that loop use real threads in
    place of green ones. What runs there then must not touch green sockets, locks or connections.
    """

    def __init__(self) -> None:
        super().__init__(THREADS)
        self._jobs: set[gevent.Greenlet] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As any executor's; calls beyond :data:`THREADS` queue."""
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = Future()
        job = gevent.spawn(_settle, future, partial(offload, fn, *args, **kwargs))
        self._jobs.add(job)
        job.rawlink(self._jobs.discard)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and wait for those that were made."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            gevent.joinall(list(self._jobs))


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)

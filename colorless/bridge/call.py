"""await_: one coroutine, run while a green thread waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from gevent.hub import Hub, Waiter, get_hub
from greenlet import getcurrent, greenlet

from colorless.bridge.shared import loop_of
from colorless.deadlines import DeadlineExceeded, limit, remaining
from colorless.loop.hubloop import HubLoop
from colorless.loop.tasks import Task

T = TypeVar("T")
_Wait = Awaitable[T] | Callable[[], Awaitable[T]]


def await_(awaitable: _Wait[T]) -> T:
    """Wait for a coroutine, a task or a future, and return what it returns or raise its error.

    It may be a function that returns one, called inside of the loop: for libraries that look for
    a running loop before they are awaited, such as ``asyncpg.create_pool``.

    The coroutine sees the caller's context variables. A deadline, a kill or a ``gevent.Timeout``
    of the caller cancels it and waits for its clean-up; a second one does not wait any more.
    A coroutine that somebody else cancels raises ``concurrent.futures.CancelledError``, which
    unlike asyncio's is an ordinary exception.
    """
    if remaining() is None:
        return _cross(awaitable)
    with limit(None, TimeoutError()):
        return _cross(awaitable)


def _cross(awaitable: _Wait[T]) -> T:
    loop = loop_of(awaitable)
    call = _Call(loop, awaitable)
    task = call.start()
    hub_loop = loop._hub.loop  # type: ignore[union-attr]
    hub_loop.ref()  # a real thread may be what the coroutine waits for
    try:
        call.wait()
    except BaseException:
        call.caller = None
        task.cancel()
        outlast(task)
        raise
    finally:
        hub_loop.unref()
        if not call.started:
            _close(awaitable)
    try:
        return task.result()
    except asyncio.CancelledError:
        raise CancelledError from None
    finally:
        del call, task  # an error's traceback would keep them, and they keep the error


def outlast(task: asyncio.Future[Any]) -> None:
    """Wait until ``task``, which has been cancelled, has cleaned up.

    A deadline does not end this wait: it is the reason for it. A second kill does.
    """
    hub = get_hub()
    while not task.done():
        waiter = Waiter(hub)
        task.add_done_callback(partial(_wake, hub, waiter))
        with suppress(DeadlineExceeded):
            waiter.get()
    if not task.cancelled():
        task.exception()  # it is not lost: the caller hears of the interruption instead


def _wake(hub: Hub, waiter: Waiter, _: asyncio.Future[Any]) -> None:
    hub.loop.run_callback(waiter.switch, None)


class _Call:
    """A green thread that waits for a coroutine."""

    __slots__ = ("_at_once", "awaitable", "caller", "loop", "started", "task")

    def __init__(self, loop: HubLoop, awaitable: _Wait[Any]) -> None:
        self.loop = loop
        self.awaitable = awaitable
        self.caller: greenlet | None = getcurrent()
        self.started = False

    def start(self) -> asyncio.Task[Any]:
        """Make the task, and keep its first step for :meth:`wait` if nothing comes before it."""
        loop = self.loop
        self._at_once = not loop._armed
        loop._armed = True
        task = self.task = _Carrier(self._carry(), loop=loop, name="await_")
        task.call = self
        return task

    async def _carry(self) -> Any:
        self.started = True
        try:
            awaitable = self.awaitable
            return await (awaitable() if callable(awaitable) else awaitable)
        finally:
            self.loop._run_callback(self.wake)

    def wait(self) -> None:
        """Wait until :meth:`wake`; the task has ended then."""
        if self._at_once:
            self.loop._wait()
        else:
            self.loop._hub.switch()  # type: ignore[union-attr]

    def wake(self) -> None:
        """Called by the hub: go on in the caller, if it still waits."""
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.switch()

    def wake_when_done(self) -> None:
        self.task.add_done_callback(lambda _: self.loop._run_callback(self.wake))


class _Carrier(Task):
    """The task of a call. Cancelled before its first step it still wakes the caller."""

    __slots__ = ("call",)
    call: _Call

    def cancel(self, msg: Any | None = None) -> bool:
        if not self.call.started and not self.done():
            self.call.wake_when_done()
        return super().cancel(msg)


def _close(awaitable: object) -> None:
    """A coroutine that never ran is closed, so that Python does not warn of it."""
    if asyncio.iscoroutine(awaitable):
        awaitable.close()

"""await_: one coroutine, run while a green thread waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from types import CoroutineType
from typing import Any, TypeVar

from gevent.hub import Hub, Waiter, get_hub
from greenlet import getcurrent

from colorless.bridge.shared import current_loop, loop_of
from colorless.deadlines import DeadlineExceeded, current_deadline, limit
from colorless.loop.hubloop import HubLoop
from colorless.loop.tasks import Task

T = TypeVar("T")
_Wait = Awaitable[T] | Callable[[], Awaitable[T]]


def await_(awaitable: _Wait[T]) -> T:
    """Wait for a coroutine, a task or a future; return what it returns or raise what it raises.

    Only the calling green thread waits. The coroutine sees the caller's context variables. A
    deadline, a kill or a ``gevent.Timeout`` of the caller cancels it and waits for its clean-up; a
    second one does not wait any more.

    :param awaitable: what to wait for, or a function that returns it and is called inside of the
        loop: for libraries that look for a running loop before they are awaited, such as
        ``asyncpg.create_pool``.
    :raises concurrent.futures.CancelledError: the coroutine was cancelled by other code. Unlike
        asyncio's this is an ordinary exception.
    :raises DeadlineExceeded: the caller's deadline has passed.
    :raises RuntimeError: called in a real thread (of ``offload``, say) or in the hub itself.
    """
    if current_deadline() is None:
        return _cross(awaitable)
    try:
        timer = limit(None, TimeoutError())
    except DeadlineExceeded:
        _close(awaitable)
        raise
    with timer:
        return _cross(awaitable)


def _cross(awaitable: _Wait[T]) -> T:
    loop = current_loop() if type(awaitable) is CoroutineType else loop_of(awaitable)
    hub: Any = loop._hub
    # With nothing ready that comes before it, the task's first step begins at once.
    at_once = not loop._armed
    loop._armed = True
    call = _Call.__new__(_Call)
    call.caller = caller = getcurrent()
    call.started = False
    _init(call, _carry(call, awaitable, loop), loop=loop, name="await_")
    hub.loop.ref()  # a real thread may be what the coroutine waits for
    try:
        if at_once:
            loop._wait(caller)
        else:
            hub.switch()
    except BaseException:
        call.caller = None
        call.cancel()
        outlast(call)
        raise
    finally:
        hub.loop.unref()
        if not call.started:
            _close(awaitable)
    try:
        return call.result()
    except asyncio.CancelledError:
        raise CancelledError from None
    finally:
        del call  # an error's traceback would keep it, and it keeps the error


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
        task.exception()  # marks it as seen: the caller gets the interruption instead


def _wake(hub: Hub, waiter: Waiter, _: asyncio.Future[Any]) -> None:
    hub.loop.run_callback(waiter.switch, None)


class _Call(Task):
    """The task that a green thread waits for. It wakes that thread even if it is cancelled before
    its first step."""

    __slots__ = ("caller", "started")
    caller: Any

    started: bool

    def wake(self) -> None:
        """Switch to the caller, unless its wait was interrupted."""
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.switch()

    def cancel(self, msg: Any | None = None) -> bool:
        if not self.started and not self.done():
            self.add_done_callback(lambda _: get_hub().loop.run_callback(self.wake))
        return super().cancel(msg)


_init = Task.__init__


async def _carry(call: _Call, awaitable: _Wait[T], loop: HubLoop) -> T:
    """The coroutine of the task. The task has ended before the caller goes on."""
    call.started = True
    try:
        return await (awaitable() if callable(awaitable) else awaitable)
    finally:
        if loop._next is None:
            loop._next = call
        else:
            loop._run_callback(call.wake)


def _close(awaitable: object) -> None:
    """Close a coroutine that never ran, so that Python does not warn of it."""
    if asyncio.iscoroutine(awaitable):
        awaitable.close()

"""Tasks whose cancellation also reaches the synchronous code that a step of theirs waits in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from colorless.loop.readers import WatchingLoop

if TYPE_CHECKING:
    from colorless.loop.runner import Runner, RunnerPool


_cancelling = asyncio.Task.cancelling


class Task(asyncio.Task[Any]):
    """asyncio's task, still in C. What differs is a cancel in the middle of a step.

    asyncio has no such case, as nothing else runs during a step. Here a step may wait green, in
    a query say, and a cancel is then thrown in where it waits, as :exc:`asyncio.CancelledError`.
    """

    __slots__ = ("_throwing", "_thrown")
    # Both are set by the first cancel that is thrown into synchronous code.
    _thrown: int  # such cancellations
    _throwing: bool  # one of them is on its way

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the task where it waits, be that an ``await`` or a synchronous call."""
        loop: Any = self.get_loop()
        pool: RunnerPool | None = loop._pool
        runner = pool.waiting.get(self) if pool is not None else None
        if pool is None or runner is None:
            return super().cancel(msg)
        self._thrown = getattr(self, "_thrown", 0) + 1
        if not getattr(self, "_throwing", False):
            self._throwing = True
            pool.hub.loop.run_callback(self._throw, runner, pool, msg)
        return True

    def cancelling(self) -> int:
        """The number of cancellations asked for and not taken back."""
        return _cancelling(self) + getattr(self, "_thrown", 0)

    def uncancel(self) -> int:
        """Take one cancellation back; returns how many remain."""
        if getattr(self, "_thrown", 0):
            self._thrown -= 1
            return self.cancelling()
        return super().uncancel()

    def _throw(self, runner: Runner, pool: RunnerPool, msg: Any | None) -> None:
        self._throwing = False
        if pool.waiting.get(self) is runner:
            error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
            runner.throw(error)
        elif not self.done():
            # The wait was over first, and the step with it: the cancel meets the next await.
            self._thrown -= 1
            super().cancel(msg)


class TaskInterrupt:
    """How a deadline that was set in a coroutine strikes its task, wherever that waits by then.

    In synchronous code it is thrown in there. At an ``await`` it cancels the task, and the block
    that set it turns the CancelledError into its own error; as ``asyncio.timeout`` does it.
    """

    def __init__(self, task: asyncio.Task[Any], pool: RunnerPool) -> None:
        self._task = task
        self._pool = pool
        self._cancelling = task.cancelling()
        self._cancelled = False

    def throw(self, error: BaseException) -> None:
        """Called by the hub when the time is up."""
        runner = self._pool.waiting.get(self._task)
        if runner is not None:
            runner.throw(error)
        elif not self._task.done():
            self._cancelled = True
            self._task.cancel()

    def caused(self, error: BaseException | None) -> bool:
        """Whether ``error``, which ends the block, is the cancellation made here."""
        if not self._cancelled:
            return False
        self._cancelled = False
        ours = self._task.uncancel() <= self._cancelling
        return ours and isinstance(error, asyncio.CancelledError)


class TaskLoop(WatchingLoop):
    """The part of a loop that makes tasks."""

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        """As asyncio's."""
        if self._task_factory is not None:
            return super().create_task(coro, **options)
        self._check_closed()
        task: Any = Task(coro, loop=self, **options)
        if task._source_traceback:
            del task._source_traceback[-1]
        return task

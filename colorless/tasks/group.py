"""Several tasks that end with a block."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import gevent
from gevent import GreenletExit
from gevent.hub import Waiter

from colorless.deadlines import DeadlineExceeded
from colorless.tasks.task import Task, TaskCancelled, check

P = ParamSpec("P")
T = TypeVar("T")


class _Member(Task[T]):
    """A task of a group, which is told how it ended, and handles its error."""

    __slots__ = ("_group",)

    def __init__(
        self,
        group: TaskGroup,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        super().__init__(fn, args, kwargs)
        self._group = group

    def _ended(self, value: Any) -> None:
        super()._ended(value)
        self._group._ended(self)

    def _raised(self, error: BaseException) -> None:
        self._group._failed(self, error)


class _BlockCancelled(GreenletExit):
    """Thrown into a group's block when one of its tasks fails; never leaves the group."""


class TaskGroup:
    """A ``with`` block that ends when all the tasks started in it have ended.

    The first error, in a task or in the block, kills the tasks that still run. The block then
    raises that error. Several errors are raised as one ``ExceptionGroup``; if all of them are
    ``DeadlineExceeded``, the first is raised. After Trio's nursery and Go's errgroup.
    """

    def __init__(self) -> None:
        self._tasks: set[Task[Any]] = set()
        self._errors: list[BaseException] = []
        self._block: Any = None  # the green thread of the block, while that runs
        self._join_ends: Waiter[None] | None = None

    def __enter__(self) -> TaskGroup:
        self._block = gevent.getcurrent()
        return self

    def go(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Start ``fn(*args, **kwargs)`` as a task of this group; otherwise as
        :func:`colorless.go`.

        :param fn: a plain function.
        :raises RuntimeError: the ``with`` block has not begun, or has ended.
        """
        if self._block is None:
            raise RuntimeError("this TaskGroup is not open: start tasks inside its with block")
        check(fn)
        task = _Member(self, fn, args, kwargs)
        self._tasks.add(task)
        return task

    def cancel(self) -> None:
        """Kill the tasks that still run, at the points where they wait, without waiting."""
        for task in list(self._tasks):
            task.kill(block=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        end = self._end(error)
        try:
            if end is not None:
                raise end
        finally:
            del end, error, tb  # which the traceback of `end` would refer to: no cycle

    def _end(self, error: BaseException | None) -> BaseException | None:
        """End with ``error`` from the block; what is to be raised."""
        # From here on no task can be added and none interrupts this green thread any more.
        self._block = None
        if error is not None:
            self.cancel()
        interrupt = self._join() or _as_interrupt(error)
        errors, self._errors = self._errors, []
        if interrupt is not None:
            return interrupt
        if error is not None and not _is_consequence(error, errors):
            errors.append(error)
        return _summary(errors) if errors else None

    def _ended(self, task: Task[Any]) -> None:
        self._tasks.discard(task)
        if self._join_ends is not None and not self._tasks:
            gevent.get_hub().loop.run_callback(self._join_ends.switch, None)

    def _failed(self, task: Task[Any], error: BaseException) -> None:
        self._errors.append(error)
        self._ended(task)
        self.cancel()
        gevent.get_hub().loop.run_callback(self._interrupt_block)

    def _interrupt_block(self) -> None:
        if self._block is not None:
            self._block.throw(_BlockCancelled())

    def _join(self) -> BaseException | None:
        """Wait until every task has ended; what interrupts that (a kill, a deadline) cancels the
        tasks, is held back until they have ended, and is returned."""
        interrupt: BaseException | None = None
        while self._tasks:
            self._join_ends = Waiter()
            try:
                self._join_ends.get()
            except BaseException as error:
                interrupt = interrupt or error
                self.cancel()
        return interrupt


def _summary(errors: list[BaseException]) -> BaseException:
    # Tasks that ran out of one deadline are one event, and `except DeadlineExceeded` is meant.
    if len(errors) == 1 or all(isinstance(e, DeadlineExceeded) for e in errors):
        return errors[0]
    return BaseExceptionGroup("several tasks failed", errors)


def _is_consequence(error: BaseException, errors: list[BaseException]) -> bool:
    """Whether the block only failed because a task did: there is nothing new to report."""
    if any(error is known for known in errors):
        return True
    return bool(errors) and isinstance(error, TaskCancelled | _BlockCancelled)


def _as_interrupt(error: BaseException | None) -> BaseException | None:
    """``error`` if it came from outside to end the block, rather than being the block's own."""
    if isinstance(error, _BlockCancelled | Exception):
        return None
    return error

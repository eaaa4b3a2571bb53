"""Goroutine-like tasks: start one with :func:`go`, or several that end with a block.

    with TaskGroup() as group:
        rooms = group.go(load_rooms, user)
        unread = group.go(load_unread, user)
    return rooms.get(), unread.get()

Unlike a bare ``gevent.spawn`` a task starts with a copy of its parent's context variables, so
that deadlines, trace ids and Flask's proxies hold in it (gevent starts with an empty context).
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from inspect import CO_COROUTINE
from types import TracebackType
from typing import Any

import gevent
from gevent import Greenlet, GreenletExit

from colorless.deadlines import DeadlineExceeded
from colorless.patch import require_patched


class TaskCancelled(RuntimeError):
    """The result of a task was asked for, but the task was killed before it had one."""


class Task(Greenlet):
    """A green thread with a result. ``kill()`` ends it at the point where it waits."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Wait for what the task returns, or raise what it raised.

        Raises :class:`TaskCancelled` for a task that was killed (gevent would *return* the
        ``GreenletExit``) and ``gevent.Timeout`` after ``timeout`` seconds.
        """
        value = super().get(block, timeout)
        if isinstance(value, GreenletExit):
            raise TaskCancelled(f"{self!r} was killed before it had a result")
        if isinstance(value, _Failure):
            raise value.error
        return value


class _Failure:
    """What a group's task returns in place of raising: its group raises the error, so the hub
    must not print it as one that nobody handles."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _BlockCancelled(GreenletExit):
    """Thrown into a group's block when one of its tasks fails; never leaves the group."""


def go(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
    """Start ``fn`` in a green thread of its own; ``.get()`` waits for what it returns or raises."""
    _check(fn)
    return _started(Task(fn, *args, **kwargs))


def _check(fn: Callable[..., Any]) -> None:
    """Refuse what could only fail later, in a task that may have nobody who waits for it."""
    require_patched("go")
    code = getattr(fn, "__code__", None)
    if code is None:
        if not callable(fn):
            raise TypeError(f"go() takes a function and its arguments, go(fn, 1), not {fn!r}")
    elif code.co_flags & CO_COROUTINE:
        raise TypeError(f"{fn!r} is a coroutine function: call it, as in go(await_, fn(1))")


def _started(task: Task) -> Task:
    task.gr_context = contextvars.copy_context()
    task.start()
    return task


class TaskGroup:
    """Tasks that have all ended when the ``with`` block ends.

    The first error, in a task or in the block, cancels the rest. One error is raised as it is;
    several are raised as one ``ExceptionGroup``. After Trio's nursery and Go's errgroup.
    """

    def __init__(self) -> None:
        self._tasks: set[Task] = set()
        self._errors: list[BaseException] = []
        self._block: Greenlet | None = None

    def __enter__(self) -> TaskGroup:
        self._block = gevent.getcurrent()
        return self

    def go(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
        """Start ``fn`` as a task of this group. Raises ``RuntimeError`` outside the block."""
        if self._block is None:
            raise RuntimeError("this TaskGroup is not open: start tasks inside its with block")
        _check(fn)
        task = Task(self._run, fn, args, kwargs)
        self._tasks.add(task)
        task.rawlink(self._tasks.discard)
        return _started(task)

    def cancel(self) -> None:
        """Kill the tasks that still run, at the points where they wait."""
        for task in self._tasks:
            task.kill(block=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        # From here on no task can be added and none interrupts this green thread any more.
        self._block = None
        if error is not None:
            self.cancel()
        interrupt = self._join() or _as_interrupt(error)
        if interrupt is not None:
            raise interrupt
        if error is not None and not self._is_consequence(error):
            self._errors.append(error)
        if self._errors:
            raise self._summary()
        if error is not None and not isinstance(error, _BlockCancelled):
            raise error

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return fn(*args, **kwargs)
        except GreenletExit:
            raise
        except BaseException as error:
            self._errors.append(error)
            self._cancel_the_others()
            return _Failure(error)

    def _cancel_the_others(self) -> None:
        current = gevent.getcurrent()
        for task in self._tasks:
            if task is not current:
                task.kill(block=False)
        gevent.get_hub().loop.run_callback(self._interrupt_block)

    def _interrupt_block(self) -> None:
        if self._block is not None:
            self._block.throw(_BlockCancelled())

    def _join(self) -> BaseException | None:
        """Wait until every task has ended; what interrupts that (a kill, a deadline) cancels the
        tasks, is held back until they have ended, and is returned."""
        interrupt: BaseException | None = None
        while self._tasks:
            try:
                gevent.joinall(list(self._tasks))
            except BaseException as error:
                interrupt = interrupt or error
                self.cancel()
        return interrupt

    def _summary(self) -> BaseException:
        first = self._errors[0]
        # Tasks that ran out of one deadline are one event, and `except DeadlineExceeded` is meant.
        if len(self._errors) == 1 or all(isinstance(e, DeadlineExceeded) for e in self._errors):
            return first
        return BaseExceptionGroup("several tasks failed", self._errors)

    def _is_consequence(self, error: BaseException) -> bool:
        """Whether the block only failed because a task did: there is nothing new to report."""
        if any(error is known for known in self._errors):
            return True
        return bool(self._errors) and isinstance(error, TaskCancelled | _BlockCancelled)


def _as_interrupt(error: BaseException | None) -> BaseException | None:
    """``error`` if it came from outside to end the block, rather than being the block's own."""
    if isinstance(error, _BlockCancelled | Exception):
        return None
    return error

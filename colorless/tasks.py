"""Goroutine-like tasks: start one with :func:`go`, or several that end with a block.

    with TaskGroup() as group:
        rooms = group.go(load_rooms, user)
        unread = group.go(load_unread, user)
    return rooms.get(), unread.get()

Unlike a bare ``gevent.spawn`` a task starts with a copy of its parent's context variables, so
that deadlines, trace ids and Flask's proxies hold in it (gevent starts with an empty context).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from inspect import CO_COROUTINE
from types import TracebackType
from typing import Any

import gevent
from gevent import GreenletExit
from gevent.event import AsyncResult
from gevent.hub import Waiter

from colorless.deadlines import DeadlineExceeded
from colorless.greenthreads import begin
from colorless.patch import require_patched


class TaskCancelled(RuntimeError):
    """The result of a task was asked for, but the task was killed before it had one."""


class Task(AsyncResult):
    """What a green thread does, and its result. gevent waits for it and kills it as a greenlet."""

    __slots__ = ("_args", "_context", "_fn", "_kwargs", "_thread")

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        super().__init__()
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._context: Context | None = copy_context()
        self._thread: Any = None  # while it runs
        gevent.get_hub().loop.run_callback(_begin, self)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Wait for what the task returns, or raise what it raised.

        Raises :class:`TaskCancelled` for a task that was killed (gevent would *return* the
        ``GreenletExit``) and ``gevent.Timeout`` after ``timeout`` seconds.
        """
        if not self.ready() and timeout is None and block:
            self.wait()
        elif not self.ready():
            self._wait_or_raise(timeout if block else 0.0)
        if self.exception is not None:
            raise self.exception
        if isinstance(self.value, GreenletExit):
            raise TaskCancelled(f"{self!r} was killed before it had a result")
        return self.value

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, ``timeout`` seconds at most."""
        self.wait(timeout)

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return bool(self.ready())

    @property
    def loop(self) -> Any:
        """The hub's, which ``gevent.killall`` asks for."""
        return gevent.get_hub().loop

    def kill(
        self,
        exception: type[BaseException] | BaseException = GreenletExit,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """End it at the point where it waits, by throwing ``exception``; before it has begun, it
        does not begin. ``block`` waits until it has ended, ``timeout`` seconds at most."""
        if self._thread is None:
            self.throw(exception)
        else:
            gevent.get_hub().loop.run_callback(self.throw, exception)
        if block:
            self.join(timeout)

    def throw(self, exception: type[BaseException] | BaseException = GreenletExit) -> None:
        """As :meth:`kill`, at once. Called in the hub."""
        if self._thread is not None:
            self._thread.throw(exception)
        elif not self.ready():
            self._failed(exception() if isinstance(exception, type) else exception)

    def cancel(self) -> bool:
        """As a future's: kill it, without waiting. Whether there was something to kill."""
        if self.ready():
            return False
        self.kill(block=False)
        return True

    def cancelled(self) -> bool:
        """As a future's: whether it was killed."""
        return isinstance(self.value, GreenletExit)

    def _wait_or_raise(self, timeout: float | None) -> None:
        with gevent.Timeout(timeout):
            self.wait()

    def _run(self) -> None:
        self._thread = gevent.getcurrent()
        try:
            value = self._fn(*self._args, **self._kwargs)
        except BaseException as error:
            self._failed(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
            del self  # the error's frames refer to this one: no cycle for the collector
        else:
            self._ended(value)

    def _ended(self, value: Any) -> None:
        self._forget()
        self.set(value)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, GreenletExit):
            self._ended(error)
            return
        self._forget()
        self.set_exception(error)
        self._raised(error)

    def _raised(self, error: BaseException) -> None:
        # Perhaps nobody ever asks for the result: the error is printed, as a greenlet's is.
        gevent.get_hub().handle_error(self, type(error), error, error.__traceback__)

    def _forget(self) -> None:
        self._thread = self._context = None
        self._args, self._kwargs = (), {}

    def __repr__(self) -> str:
        state = "ended" if self.ready() else "waits to begin" if self._thread is None else "runs"
        return f"<Task {getattr(self._fn, '__qualname__', self._fn)}: {state}>"


def _begin(task: Task) -> None:
    if not task.ready():
        begin(Task._run, task, task._context)


class _Member(Task):
    """A task of a group, which is told how it ended, and handles its error."""

    __slots__ = ("_group",)

    def __init__(
        self,
        group: TaskGroup,
        fn: Callable[..., Any],
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


def go(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
    """Start ``fn`` in a green thread of its own; ``.get()`` waits for what it returns or raises."""
    _check(fn)
    return Task(fn, args, kwargs)


def _check(fn: Callable[..., Any]) -> None:
    """Refuse what could only fail later, in a task that may have nobody who waits for it."""
    require_patched("go")
    code = getattr(fn, "__code__", None)
    if code is None:
        if not callable(fn):
            raise TypeError(f"go() takes a function and its arguments, go(fn, 1), not {fn!r}")
    elif code.co_flags & CO_COROUTINE:
        raise TypeError(f"{fn!r} is a coroutine function: call it, as in go(await_, fn(1))")


class TaskGroup:
    """Tasks that have all ended when the ``with`` block ends.

    The first error, in a task or in the block, cancels the rest. One error is raised as it is;
    several are raised as one ``ExceptionGroup``. After Trio's nursery and Go's errgroup.
    """

    def __init__(self) -> None:
        self._tasks: set[Task] = set()
        self._errors: list[BaseException] = []
        self._block: Any = None  # the green thread of the block, while that runs
        self._join_ends: Waiter[None] | None = None

    def __enter__(self) -> TaskGroup:
        self._block = gevent.getcurrent()
        return self

    def go(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
        """Start ``fn`` as a task of this group. Raises ``RuntimeError`` outside the block."""
        if self._block is None:
            raise RuntimeError("this TaskGroup is not open: start tasks inside its with block")
        _check(fn)
        task = _Member(self, fn, args, kwargs)
        self._tasks.add(task)
        return task

    def cancel(self) -> None:
        """Kill the tasks that still run, at the points where they wait."""
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

    def _ended(self, task: Task) -> None:
        self._tasks.discard(task)
        if self._join_ends is not None and not self._tasks:
            gevent.get_hub().loop.run_callback(self._join_ends.switch, None)

    def _failed(self, task: Task, error: BaseException) -> None:
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

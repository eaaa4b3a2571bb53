"""One task: what a green thread does, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from inspect import CO_COROUTINE
from typing import Any, ParamSpec, TypeVar

import gevent
from gevent import GreenletExit

from colorless.greenthreads import begin
from colorless.patched import require_patched
from colorless.tasks.async_result import AsyncResult

P = ParamSpec("P")
T = TypeVar("T")


class TaskCancelled(RuntimeError):
    """The result of a task was asked for, but the task was killed before it had one."""


class Task(AsyncResult[T]):
    """What a green thread does, and its result. gevent waits for it and kills it as a greenlet."""

    __slots__ = ("_args", "_context", "_fn", "_kwargs", "_thread")

    def __init__(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._context: Context | None = copy_context()
        self._thread: Any = None  # while it runs
        gevent.get_hub().loop.run_callback(_begin, self)

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Wait for what the task returns, or raise what it raised.

        Raises :class:`TaskCancelled` for a task that was killed (gevent would *return* the
        ``GreenletExit``) and ``gevent.Timeout`` after ``timeout`` seconds.
        """
        if not self.ready():
            if not block:
                raise gevent.Timeout
            with gevent.Timeout(timeout):
                self.wait()
        if self.exception is not None:
            raise self.exception
        value: Any = self.value
        if isinstance(value, GreenletExit):
            raise TaskCancelled(f"{self!r} was killed before it had a result")
        return value

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


def _begin(task: Task[Any]) -> None:
    if not task.ready():
        begin(Task._run, task, task._context)


def go(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
    """Start ``fn`` in a green thread of its own; ``.get()`` waits for what it returns or raises."""
    check(fn)
    return Task(fn, args, kwargs)


def check(fn: Callable[..., Any]) -> None:
    """Refuse what could only fail later, in a task that may have nobody who waits for it."""
    require_patched("go")
    code = getattr(fn, "__code__", None)
    if code is None:
        if not callable(fn):
            raise TypeError(f"go() takes a function and its arguments, go(fn, 1), not {fn!r}")
    elif code.co_flags & CO_COROUTINE:
        raise TypeError(f"{fn!r} is a coroutine function: call it, as in go(await_, fn(1))")

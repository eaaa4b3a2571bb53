"""One task: a function that runs in a green thread, and its result."""

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
    """A function that runs in a green thread, and its result. :func:`go` makes it.

    It has the methods of a future and those of a gevent greenlet: ``gevent.joinall``, ``wait`` and
    ``killall`` take it.
    """

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
        """Wait until the task has ended; return what it returned, or raise what it raised.

        :param block: with ``False`` raise ``gevent.Timeout`` at once if it has not ended.
        :param timeout: seconds to wait, then raise ``gevent.Timeout``; ``None`` for no limit.
        :raises TaskCancelled: the task was killed. (gevent *returns* the ``GreenletExit``.)
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
        """Wait until the task has ended, whatever came of it.

        :param timeout: seconds to wait at most; then return all the same.
        """
        self.wait(timeout)

    @property
    def dead(self) -> bool:
        """Whether the task has ended."""
        return bool(self.ready())

    @property
    def loop(self) -> Any:
        """The event loop of the hub; ``gevent.killall`` reads it."""
        return gevent.get_hub().loop

    def kill(
        self,
        exception: type[BaseException] | BaseException = GreenletExit,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Raise ``exception`` in the task at the point where it waits. If it has not begun, it
        never will.

        :param exception: an exception, or a class of them.
        :param block: wait until the task has ended.
        :param timeout: seconds to wait at most; ``None`` for no limit.
        """
        if self._thread is None:
            self.throw(exception)
        else:
            gevent.get_hub().loop.run_callback(self.throw, exception)
        if block:
            self.join(timeout)

    def throw(self, exception: type[BaseException] | BaseException = GreenletExit) -> None:
        """Raise ``exception`` as :meth:`kill` does, but at once. To be called in the hub only."""
        if self._thread is not None:
            self._thread.throw(exception)
        elif not self.ready():
            self._failed(exception() if isinstance(exception, type) else exception)

    def cancel(self) -> bool:
        """Kill the task without waiting; ``False`` if it had ended. A future's name for it."""
        if self.ready():
            return False
        self.kill(block=False)
        return True

    def cancelled(self) -> bool:
        """Whether the task was killed. A future's name for it."""
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
    """Start ``fn(*args, **kwargs)`` in a green thread of its own, as Go's ``go`` does.

    It begins when the caller waits next. It sees a copy of the caller's context variables, and the
    caller's deadline as a limit on its waits. An error that it raises is printed, and raised again
    by :meth:`Task.get`.

    :param fn: a plain function; for a coroutine function ``go(await_, fn(1))``.
    :raises TypeError: ``fn`` is not callable, or is a coroutine function.
    :raises NotPatchedError: ``patch_everything()`` has not run.
    """
    check(fn)
    return Task(fn, args, kwargs)


def check(fn: Callable[..., Any]) -> None:
    """Raise for an ``fn`` that would fail later, in a task whose result nobody may ask for."""
    require_patched("go")
    code = getattr(fn, "__code__", None)
    if code is None:
        if not callable(fn):
            raise TypeError(f"go() takes a function and its arguments, go(fn, 1), not {fn!r}")
    elif code.co_flags & CO_COROUTINE:
        raise TypeError(f"{fn!r} is a coroutine function: call it, as in go(await_, fn(1))")

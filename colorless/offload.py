"""Run CPU-bound or uncooperative C code on real threads, bounded, while the caller waits green.

    digest = offload(hasher.hash, password)

Anything that computes for more than a few milliseconds, or blocks inside C where no patch
reaches, would stop every other green thread of the process. Here only its caller waits.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import ParamSpec, TypeVar

import gevent
from gevent.threadpool import ThreadPool

from colorless.deadlines import limit

P = ParamSpec("P")
T = TypeVar("T")

# Guessed: two more than the cores, so that threads blocked in C leave a core's worth computing.
THREADS = (os.cpu_count() or 1) + 2

_pool: ThreadPool | None = None
_pool_pid: int | None = None


def offload(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``fn(*args, **kwargs)`` on a real thread, and return its result or raise its error.

    Only the calling green thread waits. ``fn`` sees a copy of its context variables. At most
    :data:`THREADS` calls run at once, two more than the machine has CPUs; the others queue.

    A thread cannot be interrupted: when the caller's deadline passes, or it is killed, the caller
    goes on at once, ``fn`` runs to its end, and its result is dropped.

    :param fn: a plain function. It must not use gevent's or a green thread's locks, sockets or
        connections, since it runs on another thread.
    :raises TypeError: ``fn`` is not callable, or is a coroutine function.
    :raises DeadlineExceeded: the caller's deadline has passed.
    """
    if not callable(fn):
        raise TypeError(f"offload() takes a function and its arguments, offload(fn, 1), not {fn!r}")
    if iscoroutinefunction(fn):
        raise TypeError(f"{fn!r} is a coroutine function: offload(lambda: asyncio.run(fn(1)))")
    call = partial(contextvars.copy_context().run, fn, *args, **kwargs)
    # The caller may have inherited its deadline: then no timer but this one throws into it.
    with limit(None):
        return _wait_for(call)


def _wait_for(call: Callable[[], T]) -> T:
    # spawn() waits for a free thread, and get() for the result; both can be interrupted.
    value, error = _threads().spawn(_outcome, call).get()
    if error is not None:
        raise error
    return value


def _outcome(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """What the call returns or raises. An error that left the thread would be printed there."""
    try:
        return call(), None
    except BaseException as error:
        return None, error


def _threads() -> ThreadPool:
    """This process's pool; a forked child makes its own, since threads do not survive a fork."""
    global _pool, _pool_pid
    if _pool is None or _pool_pid != os.getpid():
        _pool = ThreadPool(THREADS, hub=gevent.get_hub())
        _pool_pid = os.getpid()
    return _pool

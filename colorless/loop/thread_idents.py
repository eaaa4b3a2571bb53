"""``threading.get_ident()`` in callbacks: one for each loop, in whichever runner it is asked.

With gevent it names the greenlet, so two steps of one task would seem to be in two threads, and
callbacks of two loops, in turn in one runner, in the same. Libraries tell by it whether they are
in their loop's thread (anyio's portals, aiohttp, janus). As with asyncio it is here that of the
green thread which runs the loop, which meanwhile waits.
"""

from __future__ import annotations

import _thread
import atexit
import threading
from collections.abc import Callable
from typing import Any

import gevent.thread
import gevent.threading
from greenlet import getcurrent

from colorless.loop.foreign_greenlets import Guest
from colorless.loop.runner import Runner

_ident_of_greenlet = gevent.thread.get_ident


def get_ident() -> int:
    """The ident of the loop whose callback asks, else that of the green thread."""
    current = getcurrent()
    loop = _loop_around(current)
    return id(current) if loop is None else loop._ident


def green_thread() -> Any:
    """The greenlet that runs the loop whose callback asks, and waits; else the current one."""
    current = getcurrent()
    loop = _loop_around(current)
    return current if loop is None else loop._run_by or current


def _loop_around(current: Any) -> Any:
    kind = type(current)
    host = current if kind is Runner else current.host() if kind is Guest else None
    return None if host is None else host.loop


def ident_for(loop: object, thread: threading.Thread, *, alone: bool) -> int:
    """What :func:`get_ident` says in the callbacks of ``loop``, which ``thread`` runs.

    A loop that runs inside of another's callback, or whose runner does not wait (not ``alone``),
    has one of its own, since that green thread goes on beside it.
    """
    if alone and type(getcurrent()) not in (Runner, Guest):
        return get_ident()
    _active()[id(loop)] = thread
    return id(loop)


def forget_ident(loop: object) -> None:
    """The loop has ended."""
    _active().pop(id(loop), None)


def install_idents() -> None:
    """From now on ``threading`` asks here; its ``RLock`` goes on to belong to a greenlet.

    It has to: two callbacks of one loop that wait in turn exclude each other.
    """
    _keep_greenlets_as_owners(threading._RLock)
    _set_get_ident(get_ident)
    atexit.register(_outlast_greenlets, get_ident())


def _set_get_ident(function: Callable[[], int]) -> None:
    modules: tuple[Any, ...] = (threading, _thread, gevent.threading)
    for module in modules:
        module.get_ident = function


def _outlast_greenlets(main: int) -> None:
    """The process exits: let code ask for an ident when ``greenlet`` answers no more.

    asyncio then logs what was left pending, and logging asks who logs and who has its lock.
    """

    def last_ident() -> int:
        try:
            return get_ident()
        except RuntimeError:
            return main

    _set_get_ident(last_ident)
    threading._ident_of_greenlet = last_ident  # type: ignore[attr-defined]


def _keep_greenlets_as_owners(lock: Any) -> None:
    threading._ident_of_greenlet = _ident_of_greenlet  # type: ignore[attr-defined]
    for method in vars(lock).values():
        code = getattr(method, "__code__", None)
        if code is not None and "get_ident" in code.co_names:
            names = ("_ident_of_greenlet" if it == "get_ident" else it for it in code.co_names)
            method.__code__ = code.replace(co_names=tuple(names))


def _active() -> dict[int, threading.Thread]:
    return threading._active  # type: ignore[attr-defined]

"""Green threads that do one thing after another, as long as nobody can tell.

A new green thread costs about 20 µs on CPython 3.11, half of it to map the memory of its first
frame and to unmap it again; one that is used again, a few (``python -m comparison.micro.tasks``
has both, with what a task adds). It is used again only if nothing refers to it any more: no timer
that could still throw into it, nobody who kept it to wake it, to kill it or to wait for it. Each
job has a context of its own, and what it kept in thread-locals goes when it ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar
from weakref import getweakrefcount

import gevent
from gevent.monkey import get_original

T = TypeVar("T")

# Guessed: enough for a burst, when others would have to be made; each holds about 20 KiB.
MAX_IDLE = 256


class GreenThread(gevent.Greenlet):
    """Does one job after another. Who links to it is told when its job has ended."""

    __slots__ = ("_ends", "_item", "job")

    def __init__(self) -> None:
        super().__init__()
        self.job: tuple[Callable[[Any], None], Any] | None = None
        self._ends: list[Callable[[Any], Any]] | None = None  # whom to tell; None at rest
        self._item: Any = None  # what it works on

    def rawlink(self, callback: Callable[[Any], Any]) -> None:
        """As Greenlet's; gevent drops the thread-locals of a greenlet by such a callback."""
        if self._ends is None:
            gevent.get_hub().loop.run_callback(callback, self)
        else:
            self._ends.append(callback)

    def unlink(self, callback: Callable[[Any], Any]) -> None:
        """As Greenlet's."""
        if self._ends and callback in self._ends:
            self._ends.remove(callback)

    def __repr__(self) -> str:
        doing = "rests" if self._item is None else repr(self._item)
        return f"<GreenThread at {id(self):#x}: {doing}>"

    def _run(self) -> None:
        while self.job is not None:
            told = self._do(*self.job)
            if not told and not self._rest():
                return
            try:
                self.parent.switch()
            finally:
                self._woken()

    def _do(self, work: Callable[[Any], None], item: Any) -> bool:
        """Do it; whether somebody is to be told of its end."""
        ends: list[Callable[[Any], Any]] = []
        self.job = None
        self._ends = ends
        self._item = item
        try:
            work(item)
        finally:
            self._ends = self._item = None
            self.gr_context = None  # type: ignore[misc]
            if self.__dict__:
                self.__dict__.clear()  # its name, and what thread-locals keep
            if ends:
                gevent.get_hub().loop.run_callback(self._tell, ends)
            del self, item  # a traceback keeps its frames, and they what they refer to
        return bool(ends)

    def _woken(self) -> None:
        if self.job is None:  # not by begin(), but by a stray switch or a kill: it ends
            _resting.discard(self)

    def _tell(self, ends: list[Callable[[Any], Any]]) -> None:
        """Tell them, in the hub, as they expect, and rest."""
        for callback in ends:
            callback(self)
        if not self.dead and not self._rest():
            self.switch()  # to its end

    def _rest(self) -> bool:
        """Be there for another job; ``False`` if there are enough of those."""
        if len(_resting.threads) >= MAX_IDLE:
            return False
        _resting.threads.append(self)
        return True


class _Resting(get_original("threading", "local")):  # type: ignore[misc]
    """The green threads of one hub, and so of one thread of the system, that wait for a job."""

    hub: Any = None

    def __init__(self) -> None:
        self.threads: list[GreenThread] = []
        self.alone = 0  # references to one of which nobody knows

    def move_to(self, hub: Any) -> None:
        """Begin anew: this is the first hub of the thread, or one that came after a fork."""
        self.hub = hub
        self.threads = []
        _start(GreenThread(), _nothing, None, None)
        thread = self.threads.pop()
        self.alone = _references(thread)
        self.threads.append(thread)

    def discard(self, thread: GreenThread) -> None:
        """``thread`` ends."""
        if thread in self.threads:
            self.threads.remove(thread)


_resting = _Resting()


def begin(work: Callable[[T], None], item: T, context: Context | None = None) -> None:
    """Call ``work(item)`` in a green thread, now, until it first waits. Called in the hub.

    ``work`` handles its own errors.
    """
    hub = gevent.getcurrent()
    if _resting.hub is not hub:
        _resting.move_to(hub)
    _start(_rested(_resting.threads) or GreenThread(), work, item, context)


def resting() -> list[GreenThread]:
    """Those that wait for a job of the current thread's hub."""
    return list(_resting.threads)


def _start(
    thread: GreenThread, work: Callable[[T], None], item: T, context: Context | None
) -> None:
    thread.job = (work, item)
    thread.gr_context = context  # type: ignore[assignment, misc]
    thread.switch()


def _rested(threads: list[GreenThread]) -> GreenThread | None:
    while threads:
        thread = threads.pop()
        if _references(thread) == _resting.alone:
            return thread
        thread.switch()  # somebody knows it: without a job it ends
    return None


def _references(thread: GreenThread) -> int:
    return sys.getrefcount(thread) + getweakrefcount(thread)


def _nothing(_: Any) -> None: ...

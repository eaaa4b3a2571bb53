"""A pool of greenlets that run one job after another, where no job can see another's.

A new greenlet costs about 20 µs on CPython 3.11, half of it for mapping and unmapping the memory of
its first frame; one from this pool a few µs (``python -m comparison.micro.tasks`` measures both). A
greenlet is used again only if nothing refers to it any more: no timer that could still throw into
it, no code that kept it to wake it, kill it or wait for it. Each job has a context of its own, and
its thread-locals are dropped when it ends.
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
    """A greenlet of the pool. What is linked to it is called when its current job has ended."""

    __slots__ = ("_ends", "_item", "job")

    def __init__(self) -> None:
        super().__init__()
        self.job: tuple[Callable[[Any], None], Any] | None = None
        self._ends: list[Callable[[Any], Any]] | None = None  # what is linked; None between jobs
        self._item: Any = None  # of the current job

    def rawlink(self, callback: Callable[[Any], Any]) -> None:
        """As Greenlet's. gevent uses it to drop the thread-locals of a greenlet at its end."""
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
        """Run one job; whether callbacks are linked to its end."""
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
                self.__dict__.clear()  # attributes of the job, and its thread-locals
            if ends:
                gevent.get_hub().loop.run_callback(self._tell, ends)
            del self, item  # an error's traceback would keep them alive
        return bool(ends)

    def _woken(self) -> None:
        if self.job is None:  # not by begin(), but by a stray switch or a kill: it ends
            _resting.discard(self)

    def _tell(self, ends: list[Callable[[Any], Any]]) -> None:
        """Call the linked callbacks, in the hub as a Greenlet does, and go back to the pool."""
        for callback in ends:
            callback(self)
        if not self.dead and not self._rest():
            self.switch()  # without a job it ends

    def _rest(self) -> bool:
        """Go back to the pool; ``False`` if it is full."""
        if len(_resting.threads) >= MAX_IDLE:
            return False
        _resting.threads.append(self)
        return True


class _Resting(get_original("threading", "local")):  # type: ignore[misc]
    """The pool: idle greenlets of one hub, and so of one operating-system thread."""

    hub: Any = None

    def __init__(self) -> None:
        self.threads: list[GreenThread] = []
        self.alone = 0  # the reference count of a greenlet that only the pool refers to

    def move_to(self, hub: Any) -> None:
        """Begin with an empty pool: for the first hub of the thread, and for one after a fork."""
        self.hub = hub
        self.threads = []
        _start(GreenThread(), _nothing, None, None)
        thread = self.threads.pop()
        self.alone = _references(thread)
        self.threads.append(thread)

    def discard(self, thread: GreenThread) -> None:
        """Take ``thread``, which ends, out of the pool."""
        if thread in self.threads:
            self.threads.remove(thread)


_resting = _Resting()


def begin(work: Callable[[T], None], item: T, context: Context | None = None) -> None:
    """Run ``work(item)`` in a greenlet of the pool; return when it waits for the first time.

    To be called in the hub. ``work`` must not raise.
    """
    hub = gevent.getcurrent()
    if _resting.hub is not hub:
        _resting.move_to(hub)
    _start(_rested(_resting.threads) or GreenThread(), work, item, context)


def resting() -> list[GreenThread]:
    """The idle greenlets of the current thread's pool."""
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
        thread.switch()  # something refers to it: without a job it ends
    return None


def _references(thread: GreenThread) -> int:
    return sys.getrefcount(thread) + getweakrefcount(thread)


def _nothing(_: Any) -> None: ...

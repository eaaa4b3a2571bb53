"""One deadline for everything that a block of code waits for.

    with fail_after(2.0):
        row = pool_query()          # the pool's wait, the SQL statement and ...
        page = http_get(url)        # ... the HTTP call share the same two seconds

The verbs are Trio's: :func:`fail_after` raises when the time is up, :func:`move_on_after` goes on
behind the block. What ends the wait is :class:`DeadlineExceeded`, an ordinary ``Exception``,
thrown into the green thread that opened the block at the point where it waits, so that
``finally`` and ``except Exception`` clean-up run as for any other error.

It is thrown once. Code that swallows it keeps running, but each wait of this package that starts
after the time is up raises at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import gevent

from colorless.compat.gevent import Timer
from colorless.patched import require_patched

_current: ContextVar[Scope | None] = ContextVar("colorless_deadline", default=None)


class DeadlineExceeded(TimeoutError):
    """The time of a :func:`fail_after` or :func:`move_on_after` block is up. ``scope`` is the
    block's."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"deadline exceeded after {scope.seconds:g} s")
        self.scope = scope


class Scope:
    """What :func:`fail_after` and :func:`move_on_after` yield.

    ``at`` is when the deadline passes, in seconds of ``time.monotonic``; ``expired`` is whether it
    has ended a wait.
    """

    __slots__ = ("at", "expired", "owner", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = time.monotonic() + seconds
        self.expired = False
        self.owner = gevent.getcurrent()  # into whom the timer throws


class _Timer(Timer):
    """Marks its scope as expired before it throws.

    In a coroutine the green thread changes at every ``await``, so that there the owner's
    ``interruptible()`` is what the error is thrown into: the task, wherever it waits by then.
    """

    def __init__(self, scope: Scope, seconds: float) -> None:
        self.error = DeadlineExceeded(scope)
        super().__init__(max(seconds, 0.0), self.error)
        interruptible = getattr(scope.owner, "interruptible", None)
        self.target: Any = scope.owner if interruptible is None else interruptible()

    def strike(self, error: BaseException) -> None:
        """The time is up."""
        self.error.scope.expired = True
        self.target.throw(error)

    def caused(self, error: BaseException | None) -> bool:
        """Whether this deadline is why ``error`` (asyncio's CancelledError) ended the block."""
        caused = getattr(self.target, "caused", None)
        return caused is not None and caused(error)


@contextmanager
def fail_after(seconds: float) -> Iterator[Scope]:
    """Raise :class:`DeadlineExceeded` in the ``with`` block, at the point where it waits, once
    ``seconds`` have passed.

    Tasks made by :func:`colorless.tasks.go` in the block inherit the deadline as a limit on what
    they wait for. A block inside another never extends the outer one's time. In a coroutine the
    block may contain ``await``. After Trio's function of that name.

    :param seconds: from now; zero or less ends the first wait.
    :raises NotPatchedError: ``patch_everything()`` has not run.
    """
    require_patched("fail_after")
    scope = Scope(seconds)
    outer = _current.get()
    if outer is not None:
        scope.at = min(scope.at, outer.at)
        if outer.owner is not scope.owner:
            # The outer block's own timer throws into another green thread, not into this one.
            seconds = min(seconds, outer.at - time.monotonic())
    timer = _Timer(scope, seconds)
    token = _current.set(scope)
    timer.start()
    try:
        yield scope
        timer.caused(None)
    except BaseException as error:
        if timer.caused(error):
            raise timer.error from error
        if isinstance(error, DeadlineExceeded):
            error.scope.expired = True  # a wait's own timer may have been first to tell
        raise
    finally:
        timer.close()
        _current.reset(token)


@contextmanager
def move_on_after(seconds: float) -> Iterator[Scope]:
    """As :func:`fail_after`, but raise nothing: execution goes on behind the block.

    :param seconds: from now. Afterwards ``scope.expired`` tells whether they were too few.
    """
    scope = None
    try:
        with fail_after(seconds) as scope:
            yield scope
    except DeadlineExceeded as error:
        if error.scope is not scope:
            raise


def current_deadline() -> float | None:
    """When the caller's deadline passes, in seconds of ``time.monotonic``; ``None`` without one."""
    scope = _current.get()
    return None if scope is None else scope.at


def remaining(limit: float | None = None) -> float | None:
    """How many seconds a wait may take: ``limit``, or what the caller's deadline leaves if that is
    less; ``None`` without either.

    :param limit: seconds, or ``None`` for no limit of its own.
    :raises DeadlineExceeded: no time is left.
    """
    scope = _current.get()
    if scope is None:
        return limit
    left = scope.at - time.monotonic()
    if left <= 0:
        scope.expired = True
        raise DeadlineExceeded(scope)
    return left if limit is None else min(left, limit)


def inherited_limit() -> gevent.Timeout | None:
    """A running timer for a caller whose deadline another green thread opened, else ``None``.

    The scope's own timer throws only into the green thread that opened it. Whoever starts this
    one has to ``close()`` it.
    """
    scope = _current.get()
    if scope is None or scope.owner is gevent.getcurrent():
        return None
    timer = gevent.Timeout(max(scope.at - time.monotonic(), 0.0), DeadlineExceeded(scope))
    timer.start()
    return timer


def limit(seconds: float | None, error: BaseException | None = None) -> gevent.Timeout:
    """A ``with`` block in which ``error`` is raised, at the point where it waits, once ``seconds``
    have passed, or ``DeadlineExceeded`` if the caller's deadline comes first.

    :param seconds: from now; ``None`` for no limit but the deadline.
    :param error: an exception; ``None`` for gevent's ``Timeout``.
    :raises DeadlineExceeded: no time is left.
    """
    left = remaining()
    scope = _current.get()
    if scope is not None and left is not None and (seconds is None or left < seconds):
        return gevent.Timeout(left, DeadlineExceeded(scope))
    return gevent.Timeout(seconds, error)

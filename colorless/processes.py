"""multiprocessing's pipes and locks, waiting green: gevent's patch leaves them as they are.

Queues, pools and managers of :mod:`multiprocessing` are made of these two. Unpatched, a pool's
result thread, which is a green thread here, would stop its whole process in ``os.read``.

In a child that multiprocessing forks, gevent's hub would go on with its parent's green threads: a
server's child would answer requests. So everything that the parent waits for is forgotten there.
"""

from __future__ import annotations

import gc
import os
import select
import time
from collections.abc import Callable

import gevent
from gevent.hub import get_hub
from gevent.os import fork_and_watch

from colorless import forks
from colorless.compat.gevent import ForkWatcher, Watcher, pending_callbacks
from colorless.compat.multiprocessing import (
    register_after_fork,
    replace_lock_acquire,
    replace_pipe_io,
    replace_spawn,
)
from colorless.lowlevel import wait_readable, wait_writable

# Seconds between two attempts to take a lock that another process has; guessed. No descriptor
# tells when it is free, and a real thread that waited for it would keep it if its caller were
# interrupted.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.02


def install() -> None:
    """Make multiprocessing's pipes and locks wait green, and its forked children start afresh."""
    replace_pipe_io(_read, _write)
    replace_lock_acquire(_green)
    replace_spawn(_watched)
    register_after_fork(install, _begin_anew)


def _watched(spawn: Callable[..., int]) -> Callable[..., int]:
    """Start processes with a child watcher. Without one, libev reaps the child and drops its
    exit status."""

    def spawn_and_watch(*args: object) -> int:
        if not get_hub().loop.default:
            return spawn(*args)
        pid: int = fork_and_watch(fork=lambda: spawn(*args))
        return pid

    return spawn_and_watch


def _begin_anew(_: object) -> None:
    """In a forked child, before its work begins: stop all that its parent's green threads wait for.

    They never run again there. What the child starts itself works as usual.
    """
    if not forks.count:
        return  # spawned, not forked
    loop = get_hub().loop
    for callback in list(pending_callbacks(loop)):
        callback.stop()
    gc.unfreeze()  # a server may have put its listeners out of the collector's sight
    for found in gc.get_objects():
        # The hub's own fork watcher stays: it restarts the hub's pool of threads.
        if isinstance(found, Watcher) and not isinstance(found, ForkWatcher):
            found.stop()


def _read(fd: int, size: int) -> bytes:
    while True:
        wait_readable(fd)
        try:
            return os.read(fd, size)
        except BlockingIOError:  # another green thread read it
            continue


def _write(fd: int, data: memoryview) -> int:
    while True:
        wait_writable(fd)
        # A blocking pipe that is ready takes PIPE_BUF bytes; the caller calls again for the rest.
        part = data[: select.PIPE_BUF] if os.get_blocking(fd) else data
        try:
            return os.write(fd, part)
        except BlockingIOError:
            continue


def _green(acquire: Callable[[bool], bool]) -> Callable[..., bool]:
    """A lock's ``acquire`` that polls, and sleeps green in between, instead of waiting in C."""

    def acquire_green(block: bool = True, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while not acquire(False):
            if not block or (end is not None and time.monotonic() >= end):
                return False
            left = pause if end is None else end - time.monotonic()
            gevent.sleep(max(0.0, min(pause, left)))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    return acquire_green

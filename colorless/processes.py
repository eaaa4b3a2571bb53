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
from multiprocessing import util
from multiprocessing.connection import Connection
from multiprocessing.synchronize import SemLock
from typing import Any

import gevent
from gevent.hub import get_hub
from gevent.libev.corecext import fork, watcher
from gevent.monkey import get_original
from gevent.os import fork_and_watch

from colorless import forks
from colorless.sockets import READ, WRITE

# Seconds between two looks at a lock that another process has; guessed. No descriptor tells when
# it is free, and a thread that waited for it would keep it if its caller were interrupted.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.02


def install() -> None:
    """Let what multiprocessing waits for, from now on, hold up its own green thread only."""
    pipe: Any = Connection
    receive, send = pipe._recv, pipe._send
    pipe._recv = lambda self, size: receive(self, size, _read)
    pipe._send = lambda self, data: send(self, data, _write)
    # gevent's close() needs its module's names, which are gone when the last pipes are collected.
    pipe._close.__defaults__ = (get_original("os", "close"),)

    lock: Any = SemLock
    make_methods = lock._make_methods

    def make_green_methods(self: Any) -> None:
        make_methods(self)
        self.acquire = _green(self.acquire)

    lock._make_methods = make_green_methods
    lock.__enter__ = lambda self: self.acquire()

    starting: Any = util
    starting.spawnv_passfds = _spawn
    util.register_after_fork(install, _begin_anew)


_spawn_process = util.spawnv_passfds


def _spawn(*args: Any) -> int:
    """Start a process and watch it. Else libev takes its exit status as that of a stranger."""
    if not get_hub().loop.default:
        return _spawn_process(*args)
    return fork_and_watch(fork=lambda: _spawn_process(*args))


def _begin_anew(_: object) -> None:
    """In a child that was forked, before its work begins: let nothing go on that its parent began.

    What its parent's green threads wait for never comes; what is called from here on can wait.
    """
    if not forks.count:
        return  # it was spawned, and has nothing of its parent's
    loop = get_hub().loop
    for callback in list(loop._callbacks):
        callback.stop()
    gc.unfreeze()  # a server may have put its listeners out of the collector's sight
    for found in gc.get_objects():
        # The hub's own, for forks, is what mends its pool of threads.
        if isinstance(found, watcher) and not isinstance(found, fork):
            found.stop()


def _read(fd: int, size: int) -> bytes:
    while True:
        _wait(fd, READ)
        try:
            return os.read(fd, size)
        except BlockingIOError:  # another green thread read it
            continue


def _write(fd: int, data: memoryview) -> int:
    while True:
        _wait(fd, WRITE)
        # A pipe that blocks is ready for so much only; what calls this calls again for the rest.
        part = data[: select.PIPE_BUF] if os.get_blocking(fd) else data
        try:
            return os.write(fd, part)
        except BlockingIOError:
            continue


def _wait(fd: int, event: int) -> None:
    hub = get_hub()
    watcher = hub.loop.io(fd, event)
    try:
        hub.wait(watcher)
    finally:
        watcher.close()


def _green(acquire: Callable[[bool], bool]) -> Callable[..., bool]:
    """A lock's ``acquire``, asking again and again instead of waiting in C."""

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

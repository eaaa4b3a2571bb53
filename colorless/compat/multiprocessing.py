"""multiprocessing's private and undocumented names. Tried with CPython 3.11."""

from __future__ import annotations

import multiprocessing.connection
import multiprocessing.synchronize
from collections.abc import Callable
from multiprocessing import util
from typing import Any

from gevent.monkey import get_original

__all__ = [
    "register_after_fork",
    "replace_lock_acquire",
    "replace_pipe_io",
    "replace_spawn",
]

# register_after_fork: called in a child that multiprocessing forked, before its work begins. If it
# goes: ``os.register_at_fork``, which also runs in children that somebody else forks.
register_after_fork = util.register_after_fork


def replace_pipe_io(
    read: Callable[[int, int], bytes], write: Callable[[int, memoryview], int]
) -> None:
    """Let pipes read by ``read(fd, size)`` and write by ``write(fd, data)``.

    ``Connection`` takes ``os.read`` and ``os.write`` as defaults, which no patch of ``os`` reaches.
    Queues and pools go through its ``_recv`` and ``_send``. If these go: replace ``send_bytes`` and
    ``recv_bytes``, which are documented, with the few lines of theirs that frame a message.
    """
    pipe: Any = multiprocessing.connection.Connection
    receive, send = pipe._recv, pipe._send
    pipe._recv = lambda self, size: receive(self, size, read)
    pipe._send = lambda self, data: send(self, data, write)
    # gevent's close() needs its module's names, which are gone when the last pipes are collected.
    pipe._close.__defaults__ = (get_original("os", "close"),)


def replace_lock_acquire(replace: Callable[[Callable[..., bool]], Callable[..., bool]]) -> None:
    """Let locks have ``replace(acquire)`` for the ``acquire`` of the C semaphore in them.

    ``SemLock`` binds the semaphore's methods in ``_make_methods``, at birth and when it comes out
    of a pickle. If that goes: give ``SemLock`` an ``acquire`` of its own.
    """
    lock: Any = multiprocessing.synchronize.SemLock
    make_methods = lock._make_methods

    def make_methods_and_replace(self: Any) -> None:
        make_methods(self)
        self.acquire = replace(self.acquire)

    lock._make_methods = make_methods_and_replace
    lock.__enter__ = lambda self: self.acquire()


def replace_spawn(replace: Callable[[Callable[..., int]], Callable[..., int]]) -> None:
    """Let spawned children be started by ``replace(spawnv_passfds)``.

    If it goes: ``_posixsubprocess.fork_exec``, which it calls.
    """
    starting: Any = util
    starting.spawnv_passfds = replace(util.spawnv_passfds)

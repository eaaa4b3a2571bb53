"""gevent's private and undocumented names. Tried with gevent 26.9."""

from __future__ import annotations

from typing import Any

import gevent
from gevent._hub_local import get_hub_if_exists
from gevent.libev.corecext import fork as ForkWatcher  # noqa: N812
from gevent.libev.corecext import watcher as Watcher  # noqa: N812
from gevent.monkey import _state
from gevent.socket import socket

__all__ = [
    "ForkWatcher",
    "Timer",
    "Watcher",
    "accept",
    "get_hub_if_exists",
    "originals",
    "pending_callbacks",
    "raw_socket",
]

# get_hub_if_exists: whether this thread has a hub. ``get_hub`` would make one, in each real thread
# that computes a password hash. If it goes: keep the hubs in a ``threading.local`` of our own.

# Watcher and ForkWatcher: what a forked child looks for among all objects, to stop what its parent
# waited for, except the hub's watcher for forks. If they go: ask ``type(loop.io(0, 1)).__mro__``.


def originals() -> dict[str, dict[str, Any]]:
    """What the patch replaced: module → name → the original.

    For finding who copied an original before. ``get_original`` tells of one name that is known.
    If it goes: compare the modules that ``is_module_patched`` names with a copy made before.
    """
    saved: dict[str, dict[str, Any]] = _state.saved
    return saved


def pending_callbacks(loop: Any) -> Any:
    """The callbacks that ``loop``, a hub's, runs in its next turn: iterable, and false if none.

    An asyncio loop asks whether the hub has others to run, a forked child drops its parent's. If
    it goes: go through the hub after each burst, and have children begin with a new hub.
    """
    return loop._callbacks


def accept(sock: Any) -> tuple[int, Any]:
    """Descriptor and address of a client that waits at ``sock``, a gevent socket that never blocks.

    Raises ``BlockingIOError`` where none does. gevent's own ``accept`` would wait. If it goes:
    ``raw_socket(sock).accept()``, and ``detach()`` of what that returns.
    """
    descriptor, peer = sock._accept()
    return descriptor, peer


def raw_socket(sock: Any) -> Any:
    """The socket beneath a gevent socket: its calls never wait.

    A subclass of gevent's may have methods of its own, and is returned as it is. If it goes:
    ``gevent.monkey.get_original("socket", "socket")(fileno=…)``, and ``detach()`` at the end.
    """
    return sock._sock if type(sock) is socket else sock


class Timer(gevent.Timeout):
    """A timeout whose :meth:`strike` says what happens when the time is up.

    gevent calls ``_on_expiration`` ("hook for subclasses"), which throws into the green thread
    that started the timer. If it goes: a timer of ``get_hub().loop`` in its place.
    """

    def strike(self, error: BaseException) -> None:
        """The time is up, and ``error`` is to be raised. Called by the hub."""
        raise NotImplementedError

    def _on_expiration(self, prev_greenlet: Any, ex: BaseException) -> None:
        self.strike(ex)

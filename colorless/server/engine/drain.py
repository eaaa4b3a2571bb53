"""The end of a worker: nothing new, nothing lost, nothing waited for in vain.

Accepting stops and the streams are told (``environ["colorless.draining"]``) at once. Connections
that have been idle for a while are closed at once; one that was answered a moment ago may have its
next request under way, so it is listened to for ``Limits.linger`` seconds, and a request that
comes is served with ``Connection: close``. What runs may end until ``graceful_timeout``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from colorless.server.gunicorn import WSGIWorker

# Seconds. The arbiter kills a worker at graceful_timeout, so this side ends a little earlier, to
# let what it cuts off clean up (roll back, say); guessed.
MARGIN = 1.0
TICK = 0.05


def drain(worker: WSGIWorker) -> None:
    """End ``worker``'s connections; returns when all have ended or their time is up."""
    worker.door.close()
    worker.draining.set()
    grace = worker.cfg.graceful_timeout
    until = time.monotonic() + max(grace - MARGIN, grace / 2)
    notified = 0.0
    while (worker.connections or worker.crew.busy) and time.monotonic() < until:
        if time.monotonic() - notified > 1.0:
            notified = time.monotonic()
            worker.notify()
        for parked in (worker.idle, worker.heads):
            for connection in parked.expired(worker.limits.linger):
                connection.close()
        gevent.sleep(TICK)
    if worker.connections or worker.crew.busy:
        _cut_off(worker)


def _cut_off(worker: WSGIWorker) -> None:
    worker.log.warning(
        "Worker graceful timeout (pid:%s), %s connections left",
        worker.pid,
        len(worker.connections),
    )
    for connection in list(worker.connections):
        connection.abort()
    worker.crew.cut_off(MARGIN / 2)

"""The end of a server: nothing new, nothing lost, nothing waited for in vain.

Accepting stops and the streams are told (``server.draining``) at once. Connections that have been
idle for a while are closed at once; one that was answered a moment ago may have its next request
under way, so it is listened to for ``Limits.linger`` seconds, and a request that comes is served
with ``Connection: close``. What runs may end until ``graceful_timeout``.
"""

from __future__ import annotations

import os
import time

import gevent

from colorless.server.engine.server import Server

# Seconds. The arbiter kills a process at graceful_timeout, so this side ends a little earlier, to
# let what it cuts off clean up (roll back, say); guessed.
MARGIN = 1.0
TICK = 0.05


def drain(server: Server) -> None:
    """End ``server``'s connections; returns when all have ended or their time is up."""
    server.door.close()
    server.draining.set()
    grace = server.settings.graceful_timeout
    until = time.monotonic() + max(grace - MARGIN, grace / 2)
    notified = 0.0
    while (server.connections or server.admission.running) and time.monotonic() < until:
        if time.monotonic() - notified > 1.0:
            notified = time.monotonic()
            server.host.notify()
        for parked in (server.idle, server.heads):
            for connection in parked.expired(server.settings.limits.linger):
                connection.close()
        gevent.sleep(TICK)
    if server.connections or server.admission.running:
        server.host.log.warning(
            "Worker graceful timeout (pid:%s), %s connections left",
            os.getpid(),
            len(server.connections),
        )
        cut_off(server, MARGIN / 2)


def cut_off(server: Server, seconds: float) -> None:
    """End what runs now, and wait for its clean-up, for ``seconds`` at most."""
    for connection in list(server.connections):
        connection.abort()
    server.speaker.cut_off()
    server.admission.wait_until_idle(seconds)

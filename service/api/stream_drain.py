"""Ends the streams of a worker that stops, over a few seconds.

Each client is told to reconnect; spread out, so that the other workers do not get all of them at
once.
"""

from __future__ import annotations

import random

import gevent

from service.chat.live.registry import StreamRegistry
from service.chat.live.stream import End

# Seconds; guessed: 10,000 streams come back at about 3,000 in a second.
SPREAD = 3.0


class StreamDrain:
    """Ends the streams of one process, once."""

    def __init__(self, registry: StreamRegistry) -> None:
        self._registry = registry
        self._task: gevent.Greenlet | None = None

    def start(self, _event: object = None) -> None:
        """Begin, without waiting."""
        if self._task is None:
            self._task = gevent.spawn(self._run)

    def run(self) -> None:
        """Begin, if that is not done; wait until all clients are told and had time to answer."""
        self.start()
        assert self._task is not None, "start() has just set it"
        self._task.join()

    def _run(self) -> None:
        left = self._registry.streams()
        random.shuffle(left)
        pause = SPREAD / max(len(left), 1)
        for index, stream in enumerate(left):
            retry = random.uniform(0.1, 1.0)  # noqa: S311 - no secret
            stream.end(End(1012, "this worker stops; reconnect and resume", retry))
            if index < len(left) - 1:
                gevent.sleep(pause)
        # Streams opened meanwhile, by requests on connections that were open already.
        for stream in self._registry.streams():
            stream.end(End(1012, "this worker stops; reconnect and resume", 1.0))
        gevent.sleep(0.1)

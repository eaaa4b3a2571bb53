"""The end of a worker, for its streams: each is told to reconnect, spread over a few seconds, so
that they do not fall upon the other workers all at once."""

from __future__ import annotations

import random

import gevent

from service.chat.live.hub import Hub
from service.chat.live.stream import End

# Seconds; guessed: 10,000 streams come back at about 3,000 in a second.
SPREAD = 3.0


class Drain:
    """Ends the streams of one process, once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: gevent.Greenlet | None = None

    def start(self, _event: object = None) -> None:
        """Begin, without waiting."""
        if self._task is None:
            self._task = gevent.spawn(self._run)

    def run(self) -> None:
        """Begin, or go on, and wait until the last stream is told and its client has answered."""
        self.start()
        assert self._task is not None, "start() has just set it"
        self._task.join()

    def _run(self) -> None:
        left = self._hub.streams()
        random.shuffle(left)
        pause = SPREAD / max(len(left), 1)
        for index, stream in enumerate(left):
            retry = random.uniform(0.1, 1.0)  # noqa: S311 - no secret
            stream.end(End(1012, "this worker stops; reconnect and resume", retry))
            if index < len(left) - 1:
                gevent.sleep(pause)
        # Those that came in meanwhile, on connections that were open already.
        for stream in self._hub.streams():
            stream.end(End(1012, "this worker stops; reconnect and resume", 1.0))
        gevent.sleep(0.1)

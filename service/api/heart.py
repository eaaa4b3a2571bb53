"""The heartbeat of a process's streams: each in its turn, so that there is never a burst."""

from __future__ import annotations

import time
from typing import Protocol

import gevent

# Turns in one period; guessed: 400 pings at once for 10,000 streams.
_TURNS = 25
# Streams that get their beat before others get a turn; guessed.
_SLICE = 100
# Seconds that a client gets to take the last words and to close its side; guessed.
LINGER = 30.0


class Beating(Protocol):
    """What has a heartbeat."""

    turn: int

    def beat(self) -> None:
        """Once in a period."""

    def close(self) -> None:
        """When its time to close properly is over."""


class Heart:
    """Beats once in ``period`` seconds for each stream."""

    def __init__(self, period: float) -> None:
        self._pause = period / _TURNS
        self._turns: list[set[Beating]] = [set() for _ in range(_TURNS)]
        self._added = 0
        self._closing: dict[Beating, float] = {}
        self._task: gevent.Greenlet | None = None

    def add(self, stream: Beating) -> int:
        """Beat for this one too; returns its turn, which it keeps in ``turn``."""
        self._added += 1
        turn = self._added % _TURNS
        self._turns[turn].add(stream)
        if self._task is None:
            self._task = gevent.spawn(self._run)
        return turn

    def linger(self, stream: Beating) -> None:
        """Beat no more, and close it when its client took too long to do so."""
        self._turns[stream.turn].discard(stream)
        self._closing[stream] = time.monotonic() + LINGER

    def discard(self, stream: Beating) -> None:
        """It is closed."""
        self._turns[stream.turn].discard(stream)
        self._closing.pop(stream, None)

    def stop(self) -> None:
        """Beat for none."""
        if self._task is not None:
            self._task.kill()
            self._task = None

    def _run(self) -> None:
        while True:
            for streams in self._turns:
                gevent.sleep(self._pause)
                for index, stream in enumerate(tuple(streams)):
                    stream.beat()
                    if index % _SLICE == _SLICE - 1:
                        gevent.sleep(0)
                self._close_late()

    def _close_late(self) -> None:
        now = time.monotonic()
        for stream in [stream for stream, until in self._closing.items() if until < now]:
            stream.close()

"""Pings every stream of a process once in a period, spread evenly over it."""

from __future__ import annotations

import time
from typing import Protocol

import gevent

# Slots in one period; guessed: 400 pings at once for 10,000 streams.
_SLOTS = 25
# Streams that are pinged before other green threads run; guessed.
_SLICE = 100
# Seconds in which a client has to read the closing data and close its side; guessed.
LINGER = 30.0


class HeartbeatTarget(Protocol):
    """A stream, as far as the heartbeat knows it."""

    slot: int

    def beat(self) -> None:
        """Called once in a period."""

    def close(self) -> None:
        """Called when its client did not close its side in time."""


class Heartbeat:
    """Calls ``beat`` of each stream once in ``period`` seconds."""

    def __init__(self, period: float) -> None:
        self._pause = period / _SLOTS
        self._slots: list[set[HeartbeatTarget]] = [set() for _ in range(_SLOTS)]
        self._added = 0
        self._closing: dict[HeartbeatTarget, float] = {}
        self._task: gevent.Greenlet | None = None

    def add(self, stream: HeartbeatTarget) -> int:
        """Begin with this stream; returns its slot, which it keeps in ``slot``."""
        self._added += 1
        slot = self._added % _SLOTS
        self._slots[slot].add(stream)
        if self._task is None:
            self._task = gevent.spawn(self._run)
        return slot

    def linger(self, stream: HeartbeatTarget) -> None:
        """Stop the beats, and close the stream if its client does not do so in time."""
        self._slots[stream.slot].discard(stream)
        self._closing[stream] = time.monotonic() + LINGER

    def discard(self, stream: HeartbeatTarget) -> None:
        """The stream is closed."""
        self._slots[stream.slot].discard(stream)
        self._closing.pop(stream, None)

    def stop(self) -> None:
        """End the green thread."""
        if self._task is not None:
            self._task.kill()
            self._task = None

    def _run(self) -> None:
        while True:
            for streams in self._slots:
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

"""At most so many at once; the others wait in the order in which they came."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import gevent

J = TypeVar("J")
R = TypeVar("R")


class Turns(ABC, Generic[J, R]):
    """Gives jobs to whoever runs them (``R``), ``limit`` at a time.

    ``has_room`` is called when one has ended and no other waits.
    """

    def __init__(self, limit: int, has_room: Callable[[], None]) -> None:
        self.limit = limit
        self._has_room = has_room
        self.busy: set[R] = set()
        self._queue: deque[J] = deque()
        self._hub_loop = gevent.get_hub().loop

    @property
    def full(self) -> bool:
        """Whether a job that comes now has to wait."""
        return len(self.busy) >= self.limit

    @property
    def load(self) -> int:
        """Jobs that run or wait."""
        return len(self.busy) + len(self._queue)

    def start(self, job: J) -> None:
        """Run ``job``, or queue it. Called in the hub only."""
        if self.full or self._queue:
            self._queue.append(job)
        else:
            self._run(job)

    @abstractmethod
    def _run(self, job: J) -> None:
        """Begin with ``job``: add to ``busy`` who runs it."""

    def cut_off(self, seconds: float) -> None:
        """Wait for the clean-up of what was ended early, as long as that."""
        with gevent.Timeout(seconds, False):
            while self.busy:
                gevent.sleep(0.01)

    def _ended(self, runner: R) -> None:
        self.busy.discard(runner)
        if self._queue:
            # Not here: the caller is in the middle of the hub's turn, and the connections that
            # became readable in that turn come first.
            self._hub_loop.run_callback(self._start_next)
        else:
            self._has_room()

    def _start_next(self) -> None:
        while self._queue and not self.full:
            self._run(self._queue.popleft())

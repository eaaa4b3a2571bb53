"""At most so many at once; the others wait in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import gevent

J = TypeVar("J")


class Admission(Generic[J]):
    """Hands jobs to ``begin``, ``limit`` at a time; :meth:`ended` says that one of them has ended.

    ``has_room`` is called when one has ended and no other waits.
    """

    def __init__(
        self, limit: int, begin: Callable[[J], None], has_room: Callable[[], None]
    ) -> None:
        self.limit = limit
        self.running = 0
        self._begin = begin
        self._has_room = has_room
        self._queue: deque[J] = deque()
        self._hub_loop = gevent.get_hub().loop

    @property
    def full(self) -> bool:
        """Whether a job that comes now has to wait."""
        return self.running >= self.limit

    @property
    def load(self) -> int:
        """Jobs that run or wait."""
        return self.running + len(self._queue)

    def start(self, job: J) -> None:
        """Begin with ``job``, or queue it. Called in the hub only."""
        if self.running >= self.limit or self._queue:
            self._queue.append(job)
        else:
            self.running += 1
            self._begin(job)

    def ended(self) -> None:
        """A job has ended."""
        self.running -= 1
        if self._queue:
            # Not here: the caller is in the middle of the hub's turn, and the connections that
            # became readable in that turn come first.
            self._hub_loop.run_callback(self._start_next)
        else:
            self._has_room()

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until no job runs, for ``seconds`` at most."""
        with gevent.Timeout(seconds, False):
            while self.running:
                gevent.sleep(0.01)

    def _start_next(self) -> None:
        while self._queue and not self.full:
            self.running += 1
            self._begin(self._queue.popleft())

"""Work that waits in the database, done a few pieces at a time."""

from __future__ import annotations

import random
from collections.abc import Callable

import gevent
import structlog
from gevent.event import Event

from colorless.tasks import TaskGroup

log = structlog.get_logger("service.pump")

# Seconds between two looks when nothing waited; guessed: a preview may come so much later, and
# each look is one indexed query.
POLL = 0.5

Work = Callable[[], None]


class Pump:
    """Does what ``take`` gives it, up to ``most`` pieces at a time, until it is told to stop.

    Work that raises is logged; it is not done again until whoever waits for it lends it anew.
    What still runs when the pump is killed is killed too.
    """

    def __init__(self, take: Callable[[], Work | None], most: int, poll: float = POLL) -> None:
        self._take = take
        self._most = most
        self._poll = poll

    def __call__(self, stopping: Event) -> None:
        """Take and do work; what is being done when ``stopping`` is set is finished."""
        running: set[object] = set()
        ended = Event()

        def do(work: Work) -> None:
            try:
                work()
            except Exception as error:
                log.error("work failed", exc_info=error)
            finally:
                running.discard(work)
                ended.set()

        with TaskGroup() as group:
            while not stopping.is_set():
                ended.clear()
                work = self._take() if len(running) < self._most else None
                if work is not None:
                    running.add(work)
                    group.go(do, work)
                    gevent.sleep(0)  # it starts: what is taken next may depend on where it goes
                    continue
                # What ends may free a place, or make more work due.
                pause = self._poll * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                gevent.wait([stopping, ended], timeout=pause, count=1)

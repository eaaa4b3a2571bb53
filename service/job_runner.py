"""Runs jobs that wait in the database, a few at a time."""

from __future__ import annotations

import random
from collections.abc import Callable

import gevent
import structlog
from gevent.event import Event

from colorless.tasks import TaskGroup

log = structlog.get_logger("service.job_runner")

# Seconds between two queries for a job when there was none; guessed: a preview may come so much
# later, and each is one indexed query.
POLL = 0.5

Job = Callable[[], None]


class JobRunner:
    """Runs the jobs that ``take`` returns, at most ``max_running`` at a time.

    ``take`` leases a job and returns it, or ``None`` if none waits; then it is asked again after
    about ``poll`` seconds. A job that raises is logged; ``take`` returns it again when its
    lease has ended. Jobs that still run when the runner is killed are killed too.
    """

    def __init__(
        self, take: Callable[[], Job | None], max_running: int, poll: float = POLL
    ) -> None:
        self._take = take
        self._max_running = max_running
        self._poll = poll

    def __call__(self, stopping: Event) -> None:
        """Run jobs until ``stopping`` is set; returns when those that run have finished."""
        running: set[object] = set()
        ended = Event()

        def do(job: Job) -> None:
            try:
                job()
            except Exception as error:
                log.error("job failed", exc_info=error)
            finally:
                running.discard(job)
                ended.set()

        with TaskGroup() as group:
            while not stopping.is_set():
                ended.clear()
                job = self._take() if len(running) < self._max_running else None
                if job is not None:
                    running.add(job)
                    group.go(do, job)
                    gevent.sleep(
                        0
                    )  # it starts, and so counts against its host's limit for the next take
                    continue
                # A job that ends may let another run, or make another one due.
                pause = self._poll * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                gevent.wait([stopping, ended], timeout=pause, count=1)

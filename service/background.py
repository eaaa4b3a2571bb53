"""Green threads that run as long as a worker process: restarted when they fail, ended with it."""

from __future__ import annotations

import contextvars
import os
import time
from collections.abc import Callable, Mapping

import gevent
import structlog
from gevent.event import Event

from colorless.tasks import Task, go
from service.backoff import Backoff

log = structlog.get_logger("service.background")

# Seconds. A job that ran for so long before it failed is not in a crash loop; guessed.
_STEADY = 60.0
# Seconds in which killed jobs clean up; guessed.
_CLEAN_UP = 2.0


class Background:
    """Runs each of ``jobs`` in a green thread, from :meth:`start` to :meth:`stop`.

    A job is given an event and returns soon after that is set. One that fails is logged and
    started again, after a delay that grows.
    """

    def __init__(self, jobs: Mapping[str, Callable[[Event], None]]) -> None:
        self._jobs = jobs
        self._stopping = Event()
        self._tasks: list[Task[None]] = []
        self._pid: int | None = None

    def start(self) -> None:
        """Start the jobs. Called in the worker process, after the fork."""
        assert self._pid is None, "started once, by the process that serves"
        self._pid = os.getpid()
        for name, job in self._jobs.items():
            # In an empty context, so that they do not inherit a request's deadline.
            self._tasks.append(contextvars.Context().run(go, self._supervise, name, job))

    def stop(self, grace: float) -> None:
        """Tell the jobs to end, and kill those that have not ended after ``grace`` seconds."""
        if self._pid != os.getpid():
            return  # never started here
        self._stopping.set()
        gevent.joinall(self._tasks, timeout=grace)
        gevent.killall(self._tasks, timeout=_CLEAN_UP)

    def _supervise(self, name: str, job: Callable[[Event], None]) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                job(self._stopping)
            except Exception as error:
                if time.monotonic() - began > _STEADY:
                    backoff.reset()
                pause = backoff.delay()
                log.error("restarting", job=name, after=round(pause, 2), exc_info=error)
                self._stopping.wait(pause)

"""The green threads that serve requests: at most so many at once, and reused.

A green thread costs about 10 µs to make on CPython 3.11 (measured: its first frame maps a memory
page) and under 1 µs to reuse. Each request starts with an empty context of its own, so nothing
that one request keeps in a ``ContextVar`` is seen by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import gevent

from colorless.worker.turns import Turns

# Guessed: enough for a burst, when others would have to be made; each holds about 20 KiB.
MAX_IDLE = 256


class Job(Protocol):
    """What a runner can run: :meth:`serve` handles its own errors."""

    def serve(self) -> None:
        """Do the work, in the runner that is the current green thread."""


class Runner(gevent.Greenlet):
    """A green thread that serves one job after another."""

    def __init__(self, crew: Crew) -> None:
        super().__init__()
        self._crew = crew
        self.job: Job | None = None

    def _run(self) -> None:
        try:
            while self.job is not None:
                self.job.serve()
                self.job = None
                if self._crew.rest(self):
                    self.parent.switch()
        finally:
            self._crew.leave(self)


class Crew(Turns[Job, Runner]):
    """Runs jobs in runners, each until it first waits, and keeps the runners for later ones."""

    def __init__(self, limit: int, has_room: Callable[[], None]) -> None:
        super().__init__(limit, has_room)
        self._idle: list[Runner] = []

    def _run(self, job: Job) -> None:
        runner = self._idle.pop() if self._idle else Runner(self)
        self.busy.add(runner)
        runner.job = job
        runner.gr_context = None
        runner.switch()

    def rest(self, runner: Runner) -> bool:
        """``runner`` has ended its job; whether it should wait for another."""
        self._ended(runner)
        if len(self._idle) >= MAX_IDLE:
            return False
        self._idle.append(runner)
        return True

    def leave(self, runner: Runner) -> None:
        """``runner`` ends: it was not needed any more, or was killed."""
        if runner in self._idle:
            self._idle.remove(runner)
        else:
            self._ended(runner)

    def cut_off(self, seconds: float) -> None:
        """Wait for the clean-up of jobs that were killed, as long as that."""
        gevent.joinall(list(self.busy), timeout=seconds)

    def close(self) -> None:
        """End the runners that wait for a job."""
        gevent.killall(list(self._idle))

"""The green threads that serve requests: at most so many at once, and used again.

Each request starts with an empty context of its own, so nothing that one request keeps in a
``ContextVar`` or a thread-local is seen by the next.
"""

from __future__ import annotations

from typing import Protocol

from colorless.greenthreads import begin
from colorless.server.engine.admission import Turns


class Job(Protocol):
    """What a crew does: :meth:`serve` handles its own errors."""

    def serve(self) -> None:
        """Do the work, in the green thread that is the current one."""


class Crew(Turns[Job, Job]):
    """Does jobs in green threads, each until it first waits."""

    def _run(self, job: Job) -> None:
        self.busy.add(job)
        begin(self._serve, job)

    def _serve(self, job: Job) -> None:
        try:
            job.serve()
        finally:
            self._ended(job)

"""``python -m service serve`` in a process of its own, and everything that it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.tools.server import Server, running

READY = "The chat service is ready"


@dataclass
class Service:
    """A service that is ready: how to reach it, and how to see its processes."""

    server: Server
    data: Path

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.server.process.pid)

    @property
    def database(self) -> str:
        """The embedded server's URL."""
        return f"postgresql://postgres@/postgres?host={self.data / 'postgres'}&port=5432"

    def processes(self) -> list[psutil.Process]:
        """All there are now: itself, gunicorn and its workers, PostgreSQL and its backends."""
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def serving(data: Path, **env: str) -> Iterator[Service]:
    """A service over ``data`` that is ready; stopped at the end, if it still runs."""
    environment = {"PORT": "0", "WORKERS": "2", "DATA_DIR": str(data), "DATABASE_URL": "", **env}
    environment.pop("MAKELEVEL", None)
    with running(["service", "serve"], env={**os.environ, **environment}) as server:
        server.wait_for(READY)
        yield Service(server, data)


def none_left(processes: list[psutil.Process]) -> bool:
    """Whether all of these end, soon."""
    return not psutil.wait_procs(processes, timeout=30)[1]

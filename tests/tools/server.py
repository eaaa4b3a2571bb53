"""A server in a process of its own, found by the port that it says it listens on."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import gevent

_LISTENING = re.compile(r"Listening at: (https?://127\.0\.0\.1):(\d+)")


@dataclass
class Server:
    """A running server: its process, its port, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    origin: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"{self.origin}:{self.port}"

    def output(self) -> str:
        return Path(self.log.name).read_text()

    def wait_for(self, pattern: str, seconds: float = 90) -> re.Match[str]:
        """What in the output matches, once something does."""
        last = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output())):
            assert self.process.poll() is None, self.output()
            if time.monotonic() > last:
                raise TimeoutError(f"{pattern!r} not in:\n{self.output()}")
            gevent.sleep(0.02)
        return found

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    python: str | Path = sys.executable,
) -> Iterator[Server]:
    """Run ``python -m COMMAND``, which prints gunicorn's "Listening at", until the block ends."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            [python, "-m", *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
        )
        server = Server(process, log)
        try:
            origin, port = server.wait_for(_LISTENING.pattern).groups()
            server.origin, server.port = origin, int(port)
            yield server
        finally:
            try:
                server.stop()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

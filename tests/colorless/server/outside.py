"""gunicorn as a user starts it: a process of its own with real sockets, signals and workers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
from gevent import socket

from tests.colorless.server.inside import Client

ROOT = Path(__file__).parents[3]


class Server:
    """A running gunicorn; ``log`` is what it has written so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        self.address: tuple[str, int] | str = ""
        self.clients: list[Client] = []
        self._reader = gevent.spawn(self._read_log)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """The first match of ``pattern`` in the log, once there are ``times`` of them."""
        with gevent.Timeout(30, AssertionError(f"{pattern!r} not in:\n{''.join(self.log)}")):
            while True:
                found = [match for line in self.log if (match := re.search(pattern, line))]
                if len(found) >= times:
                    return found[0]
                gevent.sleep(0.01)

    def connect(self) -> Client:
        """A new client, over TCP or the Unix socket."""
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        sock = socket.socket(family)
        sock.connect(self.address)
        self.clients.append(Client(sock))
        return self.clients[-1]

    def signal(self, number: int) -> None:
        """Send a signal to the arbiter."""
        os.kill(self.process.pid, number)

    def stop(self) -> int:
        """SIGTERM, and wait; the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        status = self.process.wait(40)
        self._reader.join()
        return status


@contextmanager
def gunicorn(
    *options: str,
    bind: str = "127.0.0.1:0",
    worker: str = "colorless.worker.WSGIWorker",
    app: str = "tests.colorless.server.app:app",
) -> Iterator[Server]:
    """gunicorn with this worker class, listening."""
    command = [sys.executable, "-m", "gunicorn", "--bind", bind, "--no-control-socket"]
    command += ["--worker-class", worker, *options]
    server = Server(
        subprocess.Popen(
            [*command, app],
            # Not in the repository: its gunicorn.conf.py is the service's.
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    try:
        address = server.wait_for(r"Listening at: (?:https?://|unix:)(\S+)")[1]
        host, colon, port = address.rpartition(":")
        server.address = (host, int(port)) if colon else address
        server.wait_for("Booting worker")
        yield server
    finally:
        for client in server.clients:
            client.close()
        server.stop()
        assert server.process.stderr is not None
        server.process.stderr.close()

"""A worker inside the test's process: no arbiter, no fork, clients on socket pairs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent import socket
from gunicorn.config import Config
from gunicorn.glogging import Logger

from colorless.server.engine.drain import cut_off
from colorless.server.gunicorn.worker import EngineWorker
from colorless.worker import Limits, WSGIWorker


def until(condition: Callable[[], object]) -> None:
    """Let the hub turn, with a look at its sockets, until ``condition`` holds."""
    with gevent.Timeout(20, AssertionError("what the test waits for did not come about")):
        while not condition():
            gevent.sleep(0.001)


Answer = tuple[int, dict[str, str], bytes]


class Client:
    """The other end of a connection: raw bytes out, parsed responses in."""

    def __init__(self, sock: Any) -> None:
        sock.settimeout(20)
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        """Send each piece on its own, giving the worker a turn after each."""
        for piece in pieces:
            self.sock.sendall(piece)
            gevent.sleep(0)

    def answer(self, method: str = "GET") -> Answer:
        """The next response: status, fields (names in lower case) and body."""
        status = int(self.file.readline().split()[1])
        fields = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        return status, fields, self._body(status, fields, method)

    def _body(self, status: int, fields: dict[str, str], method: str) -> bytes:
        if method == "HEAD" or status < 200 or status in (204, 304):
            return b""
        if fields.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(self.file.readline(), 16):
                parts.append(self.file.read(size))
                self.file.readline()
            self.file.readline()
            return b"".join(parts)
        if "content-length" in fields:
            return self.file.read(int(fields["content-length"]))
        return self.file.read()

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return self.file.read()

    def close(self) -> None:
        """Go away."""
        self.file.close()
        self.sock.close()


class Inside:
    """A worker and the means to connect to it."""

    worker_class: type[EngineWorker] = WSGIWorker

    def __init__(self, app: Callable[..., Any], limits: Limits, settings: dict[str, Any]) -> None:
        cfg = Config()
        for name, value in settings.items():
            cfg.set(name, value)
        self.worker = self.worker_class(1, os.getppid(), [], None, 30, cfg, Logger(cfg))
        self.worker.limits = limits
        self.load(app)
        self.server = self.worker.prepare()
        self.clients: list[Client] = []

    def load(self, app: Callable[..., Any]) -> None:
        """Serve ``app`` from now on."""
        self.worker.wsgi = app
        if self.worker.server is not None:
            self.speaker.service.application = app

    @property
    def speaker(self) -> Any:
        """Who calls the application."""
        return self.server.speaker

    def connect(self, peer: Any = ("192.0.2.1", 4711)) -> Client:
        """A new client, at the address ``peer``."""
        mine, theirs = socket.socketpair()
        client = Client(mine)
        self.clients.append(client)
        self.server.accepted(theirs, peer, ("192.0.2.2", 80))
        return client

    def exchange(self, *pieces: bytes) -> Answer:
        """One request on a connection of its own."""
        client = self.connect()
        client.send(*pieces)
        return client.answer()


@contextmanager
def serving(
    app: Callable[..., Any],
    limits: Limits | None = None,
    kind: type[Inside] = Inside,
    **settings: Any,
) -> Iterator[Inside]:
    """A worker that serves ``app``; ``settings`` are gunicorn's."""
    inside = kind(app, limits or Limits(), settings)
    try:
        yield inside
    finally:
        for client in inside.clients:
            client.close()
        cut_off(inside.server, 5)
        inside.worker.tmp.close()

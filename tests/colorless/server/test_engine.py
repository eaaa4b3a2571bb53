"""The engine serves whoever speaks to it: here neither WSGI, nor ASGI, nor gunicorn."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event

from colorless.server.engine.connection import Connection
from colorless.server.engine.drain import cut_off, drain
from colorless.server.engine.keepalive import keeps_alive
from colorless.server.engine.limits import Limits, Pace
from colorless.server.engine.server import Server
from colorless.server.engine.settings import HeadLimits, Settings
from tests.colorless.server.inside import Client, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Host:
    """A process that lives as long as the test wants."""

    def __init__(self) -> None:
        self.log = logging.getLogger("tests.engine")
        self.alive = True
        self.notified = 0

    def notify(self) -> None:
        self.notified += 1


class Exchange:
    """One request that is answered with itself."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.thread: Any = None
        self.left: list[bool] = []
        self.has_left = Event()

    def client_left(self, reading: bool) -> None:
        self.left.append(reading)
        self.has_left.set()

    def abort(self) -> None:
        self.thread.kill(block=False)

    def serve(self) -> bool:
        connection = self.connection
        if connection.buffer.startswith(b"GET /hold"):
            return not self.has_left.wait()
        head, _, connection.buffer = connection.buffer.partition(b"\r\n\r\n")
        name, _, length = head.rpartition(b"Content-Length: ")
        body, pace = b"", Pace(connection.server.settings.limits)
        while name and len(body) < int(length):
            data = connection.receive(pace)
            if not data:
                return False
            body += data
        keep = keeps_alive("GET", (1, 1), None, wanted=connection.server.wants_more)
        echo = head + b"|" + body
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(echo)
        connection.transport.sendall(answer + echo)
        return keep


class Echo:
    """A speaker of its own."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.clients: list[Client] = []

    def begin(self, connection: Connection) -> None:
        exchange = Exchange(connection)
        self.exchanges.append(exchange)
        exchange.thread = gevent.spawn(self._serve, exchange)

    def cut_off(self) -> None: ...

    def _serve(self, exchange: Exchange) -> None:
        connection = exchange.connection
        keep = False
        try:
            if connection.begin(exchange):
                keep = exchange.serve()
        finally:
            connection.served(keep)
            connection.server.ended()


@contextmanager
def echoing(settings: Settings | None = None) -> Iterator[tuple[Server, Echo]]:
    echo = Echo()
    server = Server(Host(), echo, settings or Settings())
    try:
        yield server, echo
    finally:
        for client in echo.clients:
            client.close()
        cut_off(server, 5)


def connect(server: Server) -> Client:
    mine, theirs = socket.socketpair()
    server.accepted(theirs, "", "")
    assert isinstance(server.speaker, Echo)
    server.speaker.clients.append(Client(mine))
    return server.speaker.clients[-1]


def test_a_speaker_needs_neither_gunicorn_nor_an_interface() -> None:
    """An echo of twenty lines gets heads, bodies, pipelined requests and kept connections."""
    with echoing() as (server, echo):
        client = connect(server)
        client.send(GET)
        assert client.answer()[2] == GET[:-4] + b"|"
        client.send(b"GET /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        client.send(b"cd")
        assert client.answer()[2].endswith(b"|abcd")
        client.send(GET + GET)
        assert [client.answer()[0] for _ in range(2)] == [200, 200]
        client.close()
        until(lambda: not server.connections)
        assert len(echo.exchanges) == 4


def test_who_waits_for_bytes_is_woken_by_their_end() -> None:
    """A body that is cut short ends its exchange."""
    with echoing() as (server, _):
        client = connect(server)
        client.send(b"GET /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        until(lambda: server.load == 1)
        client.close()
        until(lambda: server.load == 0 and not server.connections)


def test_who_waits_for_something_else_is_told_that_the_client_left() -> None:
    """The hub reads while a request is served, so it sees the client go."""
    with echoing() as (server, echo):
        client = connect(server)
        client.send(GET.replace(b"/", b"/hold", 1))
        until(lambda: echo.exchanges)
        client.close()
        until(lambda: not server.connections)
        assert echo.exchanges[0].left == [False]


def test_a_drain_ends_an_engine_without_gunicorn() -> None:
    """Idle connections are closed, the host is told, and nothing is left."""
    settings = Settings(limits=Limits(linger=0.05), graceful_timeout=2)
    with echoing(settings) as (server, _):
        client = connect(server)
        client.send(GET)
        client.answer()
        server.host.alive = False  # type: ignore[misc]
        drain(server)
        assert client.rest() == b""
        assert not server.connections
        assert server.draining.is_set()


def test_what_is_too_large_is_handed_over_while_it_arrives() -> None:
    """A head that passes a limit is served as what it is, without waiting for its end."""
    with echoing(Settings(head=HeadLimits(fields=3))) as (server, echo):
        client = connect(server)
        client.send(b"GET / HTTP/1.1\r\n", *[b"A: b\r\n"] * 4)
        until(lambda: echo.exchanges)
        connection = echo.exchanges[0].connection
        assert (connection.too_large, connection.plain) == (True, False)
        client.close()


def test_the_engine_imports_neither_gunicorn_nor_an_interface() -> None:
    """In a process of its own, the engine comes alone."""
    code = (
        "import sys, colorless.server.engine.drain; "
        "print([m for m in sys.modules if m.startswith("
        "('gunicorn', 'colorless.server.wsgi', 'colorless.server.asgi', 'colorless.compat.gun'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""No client is served twice while another waits, and no request sees another's context."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import gevent

from colorless.server.engine.transport import Transport
from tests.colorless.server.inside import serving, until

Environ = dict[str, Any]
Start = Callable[..., Any]


def test_a_pipelining_client_takes_turns_with_the_others() -> None:
    """Requests that have all arrived are served one a connection, round by round."""
    served: list[str] = []

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        served.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app) as inside:
        clients = [inside.connect() for _ in range(4)]
        for name, client in enumerate(clients):
            client.sock.sendall(b"GET /%d HTTP/1.1\r\n\r\n" % name * 10)
        for client in clients:
            for _ in range(10):
                client.answer()
    for first in range(0, 40, 4):
        assert sorted(served[first : first + 4]) == ["/0", "/1", "/2", "/3"]


def test_requests_wait_in_one_queue_when_all_runners_are_busy() -> None:
    """At worker_connections, a client that was just served goes behind those that wait."""
    served: list[str] = []

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        served.append(environ["PATH_INFO"])
        gevent.sleep(0.001)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app, worker_connections=1) as inside:
        clients = [inside.connect() for _ in range(3)]
        for name, client in enumerate(clients):
            client.sock.sendall(b"GET /%d HTTP/1.1\r\n\r\n" % name * 5)
        for client in clients:
            for _ in range(5):
                client.answer()
    for first in range(0, 15, 3):
        assert sorted(served[first : first + 3]) == ["/0", "/1", "/2"]


def test_a_client_that_reads_fast_does_not_keep_the_hub() -> None:
    """A response that never has to wait for its client lets others run all the same."""
    turns = 0
    while_sending: list[int] = []

    def ticker() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        before = turns
        for _ in range(200):
            yield b"x" * 10_000
        while_sending.append(turns - before)

    with serving(app) as inside, patch.object(Transport, "_send_now", lambda self, data: len(data)):
        client = inside.connect()
        ticking = gevent.spawn(ticker)
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        until(lambda: while_sending)
        ticking.kill()
        assert while_sending[0] >= 5


def test_each_request_has_a_context_of_its_own() -> None:
    """What one request keeps in a ContextVar is not seen by the next in the same green thread."""
    name: ContextVar[str] = ContextVar("name", default="nobody")
    seen: list[str] = []
    runners: set[int] = set()

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        seen.append(name.get())
        runners.add(id(gevent.getcurrent()))
        name.set(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app) as inside:
        client = inside.connect()
        for _ in range(3):
            client.send(b"GET /me HTTP/1.1\r\n\r\n")
            client.answer()
    assert seen == ["nobody"] * 3
    assert len(runners) == 1

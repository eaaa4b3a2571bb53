"""Clients that are slow hold nothing, and not for long."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent
import pytest

from colorless.server.engine.deadline_queue import Parked
from colorless.server.engine.limits import Pace
from colorless.worker import ClientTooSlow, Limits
from tests.colorless.server.inside import serving, until
from tests.colorless.server.test_serving import GET, echo, hello

Environ = dict[str, Any]
Start = Callable[..., Any]

QUICK = Limits(head_timeout=0.1, stall_timeout=0.1, min_rate=1000.0, linger=0.1)
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


def test_a_transfer_that_makes_no_progress_is_ended() -> None:
    """After stall_timeout of waiting with nothing moved, patience is over."""
    pace = Pace(Limits(stall_timeout=0.01))
    assert 0 < pace.patience() <= 0.01
    time.sleep(0.02)
    pace.waited()
    with pytest.raises(ClientTooSlow, match="0 bytes"):
        pace.patience()


def test_progress_earns_time_at_the_minimum_rate() -> None:
    """Each min_rate bytes buy a second, but no single wait exceeds stall_timeout."""
    pace = Pace(Limits(stall_timeout=0.01, min_rate=1000.0))
    pace.patience()
    time.sleep(0.02)
    pace.waited()
    pace.moved(50)
    assert pace.patience() == pytest.approx(0.01)


def test_what_is_parked_expires_in_order() -> None:
    """Only what has waited long enough is due; waiting anew starts anew."""
    parked: Parked[str] = Parked(0.0)
    parked.add("first")
    parked.add("second")
    parked.add("first")
    assert parked.expired() == ["second", "first"]
    assert parked.expired(60.0) == []
    parked.discard("second")
    assert parked.expired() == ["first"]


def test_half_requests_hold_no_green_thread() -> None:
    """Connections that have sent a part of a head cost memory only, and end at head_timeout."""
    with serving(hello, QUICK) as inside:
        slow = [inside.connect() for _ in range(200)]
        for client in slow:
            client.send(b"GET / HT")
        until(lambda: all(connection.head_has_begun for connection in inside.server.connections))
        assert inside.server.load == 0
        assert inside.exchange(GET)[0] == 200
        inside.server.listen([])
        assert [client.rest() for client in slow] == [b""] * len(slow)
        inside.server._sweeper.stop()


def test_a_head_that_trickles_in_does_not_extend_its_time() -> None:
    """head_timeout counts from the first byte, however many follow."""
    with serving(hello, QUICK) as inside:
        client = inside.connect()
        client.send(b"GET")
        (connection,) = inside.server.connections
        until(lambda: connection.head_has_begun)
        since = dict(inside.server.heads._since)
        client.send(b" /")
        head = connection._arriving
        assert head is not None
        until(lambda: head.take() == b"GET /")
        assert inside.server.heads._since == since


def test_a_body_that_stops_is_answered_with_408() -> None:
    """A request whose body does not come ends after stall_timeout, without the application."""
    with serving(echo, QUICK) as inside:
        status, fields, _ = inside.exchange(POST + b"part")
        assert (status, fields["connection"]) == (408, "close")


def test_a_body_below_the_minimum_rate_is_answered_with_408() -> None:
    """Single bytes that come in time each do not keep a request alive."""
    with serving(echo, QUICK) as inside:
        client = inside.connect()
        client.send(POST)

        def trickle() -> None:
            for _ in range(50):
                client.sock.sendall(b"x")
                gevent.sleep(0.01)

        trickling = gevent.spawn(trickle)
        assert client.answer()[0] == 408
        trickling.kill()


def test_a_client_that_does_not_read_is_given_up() -> None:
    """A response that nobody takes ends after stall_timeout; its iterable is closed."""
    closed = gevent.event.Event()

    class Endless:
        def __iter__(self) -> Iterable[bytes]:
            while True:
                yield b"x" * 100_000

        def close(self) -> None:
            closed.set()

    def app(environ: Environ, start_response: Start) -> Any:
        start_response("200 OK", [])
        return Endless()

    with serving(app, QUICK) as inside:
        inside.connect().send(GET)
        assert closed.wait(5)
        until(lambda: inside.server.load == 0)


def test_idle_connections_do_not_count_as_work() -> None:
    """With worker_connections at 1, many connections may be idle and another is served."""
    with serving(hello, worker_connections=1) as inside:
        idle = [inside.connect() for _ in range(50)]
        for client in idle:
            client.send(GET)
            client.answer()
        until(lambda: len(inside.server.idle) == 50)
        assert inside.server.load == 0
        assert inside.exchange(GET)[0] == 200


def test_an_idle_connection_ends_after_keepalive() -> None:
    """gunicorn's keepalive says how long the next request may take to come."""
    with serving(hello, keepalive=1) as inside:
        client = inside.connect()
        client.send(GET)
        client.answer()
        inside.server.sweep()
        assert len(inside.server.idle) == 1
        for connection in inside.server.idle._since:
            inside.server.idle._since[connection] -= 1.1
        inside.server.sweep()
        assert client.rest() == b""


def test_more_requests_than_worker_connections_wait_their_turn() -> None:
    """At most worker_connections requests run at once; the others wait, in order."""
    running: list[str] = []
    most = 0
    go_on = gevent.event.Event()

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        nonlocal most
        running.append(environ["PATH_INFO"])
        most = max(most, len(running))
        go_on.wait()
        running.remove(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app, worker_connections=3) as inside:
        clients = [inside.connect() for _ in range(10)]
        for client in clients:
            client.send(GET)
        until(lambda: inside.server.load == 10)
        assert len(running) == 3
        assert not inside.server.door.wants_more()
        go_on.set()
        assert [client.answer()[0] for client in clients] == [200] * 10
        assert most == 3

"""The worker under gunicorn's arbiter: its sockets, settings, signals and reloads."""

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
from functools import partial
from pathlib import Path

import gevent
import pytest
from gevent import ssl as green_ssl

from colorless.worker import WSGIWorker
from tests.colorless.server.inside import Client, until
from tests.colorless.server.outside import Server, gunicorn

# `RELOADS=100` for the whole proof; each takes about a second.
RELOADS = int(os.environ.get("RELOADS", "5"))
GET = b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n"


def environ_of(client: Client) -> dict[str, str]:
    client.send(GET)
    status, _, body = client.answer()
    assert status == 200
    return json.loads(body)


def test_it_serves_on_a_unix_socket(tmp_path: Path) -> None:
    """A Unix socket works, and the server's name is the one the client used."""
    with gunicorn(bind=f"unix:{tmp_path}/socket") as server:
        environ = environ_of(server.connect())
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("chat.example", "80")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", key, "-out", certificate]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return key, certificate


def test_it_serves_tls(certificate: tuple[str, str]) -> None:
    """TLS works, bodies included, and a client that does not shake hands blocks nobody."""
    key, pem = certificate
    with gunicorn("--keyfile", key, "--certfile", pem) as server:
        server.connect()  # and says nothing
        context = green_ssl.create_default_context(cafile=pem)
        context.check_hostname = False
        client = Client(context.wrap_socket(server.connect().sock))
        assert environ_of(client)["wsgi.url_scheme"] == "https"
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000 + GET)
        assert json.loads(client.answer()[2])["length"] == 100_000
        assert client.answer()[0] == 200
        client.close()


def test_the_end_of_a_tls_connection_is_told(certificate: tuple[str, str]) -> None:
    """A client that insists on TLS's own farewell gets it, also while it still sends."""
    key, pem = certificate
    context = green_ssl.create_default_context(cafile=pem)
    context.check_hostname = False
    request = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"
    with gunicorn("--keyfile", key, "--certfile", pem) as server:
        for behind in (b"", b"more"):
            sock = context.wrap_socket(server.connect().sock, suppress_ragged_eofs=False)
            client = Client(sock)
            client.send(request + behind)
            assert client.answer()[0] == 200
            assert client.rest() == b""
            client.close()


def test_a_client_that_does_not_speak_tls_is_dropped(certificate: tuple[str, str]) -> None:
    """Plain HTTP on a TLS port ends the connection, and only that."""
    key, pem = certificate
    with gunicorn("--keyfile", key, "--certfile", pem) as server:
        for _ in range(2):
            plain = server.connect()
            plain.send(GET)
            with contextlib.suppress(ConnectionResetError):
                assert b"200" not in plain.rest()


def test_it_takes_the_clients_address_from_the_proxy_protocol() -> None:
    """PROXY v1 and v2 say whom all requests of the connection are from."""
    v1 = b"PROXY TCP4 192.0.2.7 192.0.2.8 5000 443\r\n"
    addresses = bytes([192, 0, 2, 7, 192, 0, 2, 8]) + struct.pack(">HH", 5000, 443)
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(addresses)) + addresses
    with gunicorn("--proxy-protocol", "auto") as server:
        for preamble in (v1, v2):
            client = server.connect()
            client.send(preamble)
            for _ in range(2):
                environ = environ_of(client)
                assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.7", "5000")


def test_it_writes_the_access_log(tmp_path: Path) -> None:
    """gunicorn's access log has its usual fields."""
    log = tmp_path / "access.log"
    with gunicorn(
        "--access-logfile", str(log), "--access-logformat", "%(r)s|%(s)s|%(B)s|%({host}i)s"
    ) as server:
        client = server.connect()
        client.send(b"GET /slow?0 HTTP/1.1\r\nHost: chat.example\r\n\r\n")
        client.answer()
    assert re.fullmatch(r"GET /slow\?0 HTTP/1\.1\|200\|\d+\|chat\.example\n", log.read_text())


def test_a_full_request_line_limit_is_answered_with_414() -> None:
    """gunicorn's limits and their answers hold."""
    with gunicorn("--limit-request-line", "100", "--limit-request-fields", "2") as server:
        for head, status in (
            (b"GET /" + b"x" * 100 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ):
            client = server.connect()
            client.send(head)
            assert client.answer()[0] == status


def test_accepting_goes_on_when_there_is_room_again() -> None:
    """A worker that was full takes the clients that waited outside."""
    with gunicorn("--worker-connections", "1") as server:
        for _ in range(2):
            clients = [server.connect() for _ in range(5)]
            for client in clients:
                client.send(b"GET /slow?0.05 HTTP/1.1\r\n\r\n")
            assert [client.answer()[0] for client in clients] == [200] * 5


def test_max_requests_replaces_the_worker() -> None:
    """After max_requests requests the connection ends and another process serves."""
    with gunicorn("--max-requests", "3") as server:
        client = server.connect()
        pids = []
        for _ in range(3):
            client.send(GET)
            _, fields, body = client.answer()
            pids.append(json.loads(body)["pid"])
        assert fields["connection"] == "close"
        server.wait_for("Booting worker", times=2)
        assert environ_of(server.connect())["pid"] not in pids


def test_a_blocked_hub_is_noticed_by_the_arbiter() -> None:
    """The heartbeat stands still when the hub does, and not when a request waits."""
    with gunicorn("--timeout", "2") as server:
        waiting = server.connect()
        waiting.send(b"GET /slow?4 HTTP/1.1\r\n\r\n")
        assert waiting.answer()[0] == 200
        blocking = server.connect()
        blocking.send(b"GET /busy?30 HTTP/1.1\r\n\r\n")
        server.wait_for("WORKER TIMEOUT")


def test_sigterm_ends_idle_connections_and_finishes_requests() -> None:
    """What runs gets its answer with Connection: close; idle ones end; the exit is clean."""
    with gunicorn() as server:
        idle, working = server.connect(), server.connect()
        environ_of(idle)
        working.send(b"GET /slow?1 HTTP/1.1\r\n\r\n")
        gevent.sleep(0.2)
        server.signal(signal.SIGTERM)
        status, fields, _ = working.answer()
        assert (status, fields["connection"]) == (200, "close")
        assert idle.rest() == b""
        assert server.process.wait(10) == 0


def test_a_request_that_crosses_the_drain_is_answered() -> None:
    """A client that was just served may have sent its next request: it is served, then closed."""
    with gunicorn() as server:
        working, client = server.connect(), server.connect()
        working.send(b"GET /slow?1 HTTP/1.1\r\n\r\n")
        environ_of(client)
        server.signal(signal.SIGTERM)
        server.wait_for("Handling signal: term")
        client.send(GET)
        status, fields, _ = client.answer()
        assert (status, fields["connection"]) == (200, "close")


def test_streams_are_told_of_the_drain() -> None:
    """environ["colorless.draining"] lets a stream say farewell."""
    with gunicorn() as server:
        client = server.connect()
        client.send(b"GET /stream HTTP/1.1\r\n\r\n")
        assert b"200 OK" in client.file.readline()
        server.signal(signal.SIGTERM)
        assert client.rest().endswith(b"4\r\nbye\n\r\n0\r\n\r\n")
        assert server.process.wait(10) == 0


def test_the_drain_ends_within_graceful_timeout() -> None:
    """A request that takes too long is cut off by the worker, before the arbiter kills it."""
    with gunicorn("--graceful-timeout", "3") as server:
        environ_of(server.connect())
        client = server.connect()
        client.send(b"GET /slow?60 HTTP/1.1\r\n\r\n")
        gevent.sleep(1)  # the request has begun
        server.signal(signal.SIGTERM)
        assert client.rest().startswith(b"HTTP/1.1 503 ")
        assert server.process.wait(10) == 0
        server.wait_for("Worker graceful timeout")
        server.wait_for(r"Request cut off by the end of the worker: GET /slow\?60")


def test_a_client_goes_to_the_worker_with_less_to_do() -> None:
    """While one worker has requests in flight, the other takes the new connections."""
    with gunicorn("--workers", "2") as server:
        by_worker: dict[str, list[Client]] = {}

        def connected() -> bool:
            client = server.connect()
            by_worker.setdefault(environ_of(client)["pid"], []).append(client)
            return len(by_worker) == 2 and min(map(len, by_worker.values())) >= 5

        until(connected)
        loaded, free = by_worker
        for client in by_worker[loaded][:5]:
            client.send(b"GET /slow?5 HTTP/1.1\r\n\r\n")
        gevent.sleep(0.2)
        # A worker that hesitates may still be quicker once in a while, on a busy machine.
        took = [environ_of(server.connect())["pid"] for _ in range(60)]
        assert took.count(free) >= 45  # by chance alone: once in 20,000 times


def more_than(number: int, pids: set[int]) -> bool:
    return len(pids) > number


def hammer(server: Server, stop: gevent.event.Event, pids: set[int]) -> int:
    """Requests one after another, on one connection as long as the server keeps it."""
    served = 0
    client = server.connect()
    while not stop.is_set():
        client.send(GET)
        status, fields, body = client.answer()
        assert status == 200
        pids.add(json.loads(body)["pid"])
        served += 1
        if fields.get("connection") == "close":
            client.close()
            client = server.connect()
    client.close()
    return served


def test_no_request_is_lost_over_reloads() -> None:
    """Under load, SIGHUP after SIGHUP: every request on every connection gets its 200."""
    stop = gevent.event.Event()
    pids: set[int] = set()
    with gunicorn() as server:
        clients = [gevent.spawn(hammer, server, stop, pids) for _ in range(10)]
        until(lambda: pids)
        for number in range(1, RELOADS + 1):
            server.signal(signal.SIGHUP)
            until(partial(more_than, number, pids))
        stop.set()
        served = sum(client.get(timeout=30) for client in clients)
    print(f"{served} requests over {RELOADS} reloads, by {len(pids)} workers")
    assert len(pids) > RELOADS
    assert served > 10 * RELOADS


def test_http2_is_refused_at_start() -> None:
    """A setting that this worker does not honour is an error, with a way out."""

    class Cfg:
        protocol = "http"
        http_protocols = ("h2", "h1")

    with pytest.raises(RuntimeError, match="put a proxy in front"):
        WSGIWorker.check_config(Cfg(), None)

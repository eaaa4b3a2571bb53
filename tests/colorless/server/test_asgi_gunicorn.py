"""The ASGI worker under gunicorn's arbiter: its sockets, settings, signals and reloads."""

import json
import re
import signal
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import ssl as green_ssl
from websockets.asyncio.client import connect

from colorless.bridge import await_, entered
from colorless.worker.asgi import ASGIWorker
from tests.colorless.server.inside import Client, until
from tests.colorless.server.outside import Server
from tests.colorless.server.outside import gunicorn as any_gunicorn
from tests.colorless.server.test_gunicorn import certificate as certificate
from tests.colorless.server.test_gunicorn import hammer, more_than

GET = b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n"
WORKER, APP = "colorless.worker.asgi.ASGIWorker", "tests.colorless.server.asgi_app:app"


def gunicorn(*options: str, **more: str) -> AbstractContextManager[Server]:
    return any_gunicorn(*options, worker=WORKER, app=APP, **more)


def told(client: Client) -> dict[str, Any]:
    client.send(GET)
    status, _, body = client.answer()
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_it_serves_on_a_unix_socket(tmp_path: Path) -> None:
    """A Unix socket works; its client has no address, and the server's is its path."""
    with gunicorn(bind=f"unix:{tmp_path}/socket") as server:
        answer = told(server.connect())
        assert (answer["client"], answer["server"]) == (None, [f"{tmp_path}/socket", None])


def test_it_serves_tls(certificate: tuple[str, str]) -> None:
    """TLS works, bodies included, and a client that does not shake hands blocks nobody."""
    key, pem = certificate
    with gunicorn("--keyfile", key, "--certfile", pem) as server:
        server.connect()  # and says nothing
        context = green_ssl.create_default_context(cafile=pem)
        context.check_hostname = False
        client = Client(context.wrap_socket(server.connect().sock))
        assert told(client)["scheme"] == "https"
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000 + GET)
        assert json.loads(client.answer()[2])["length"] == 100_000
        assert client.answer()[0] == 200
        client.close()


def test_it_takes_the_clients_address_from_the_proxy_protocol() -> None:
    """PROXY says whom all requests of the connection are from."""
    with gunicorn("--proxy-protocol", "auto") as server:
        client = server.connect()
        client.send(b"PROXY TCP4 192.0.2.7 192.0.2.8 5000 443\r\n")
        for _ in range(2):
            assert told(client)["client"] == ["192.0.2.7", 5000]


def test_it_writes_the_access_log(tmp_path: Path) -> None:
    """gunicorn's access log has its usual fields."""
    log = tmp_path / "access.log"
    with gunicorn(
        "--access-logfile", str(log), "--access-logformat", "%(r)s|%(s)s|%(h)s|%({host}i)s"
    ) as server:
        told(server.connect())
        client = server.connect()
        client.send(b"GET /?a HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\n\r\n")
        client.answer()
    lines = log.read_text()
    assert lines == (
        "GET / HTTP/1.1|200|127.0.0.1|chat.example\nGET /?a HTTP/1.1|200|127.0.0.1|b\n"
    )


def test_gunicorns_limits_hold() -> None:
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
        assert told(server.connect())["pid"] not in pids


def test_sigterm_ends_idle_connections_and_finishes_requests() -> None:
    """What runs gets its answer, idle connections end, then the lifespan; the exit is clean."""
    with gunicorn() as server:
        idle, working = server.connect(), server.connect()
        assert told(idle)["state"] == {"started": True}
        working.send(b"GET /slow?1 HTTP/1.1\r\n\r\n")
        gevent.sleep(0.2)
        server.signal(signal.SIGTERM)
        status, fields, _ = working.answer()
        assert (status, fields["connection"]) == (200, "close")
        assert idle.rest() == b""
        assert server.process.wait(10) == 0
        server.wait_for("lifespan ended")


def test_the_drain_ends_within_graceful_timeout() -> None:
    """A request that takes too long is cut off, even in a synchronous call, and said so."""
    with gunicorn("--graceful-timeout", "3") as server:
        told(server.connect())
        client = server.connect()
        client.send(b"GET /slow?60 HTTP/1.1\r\n\r\n")
        gevent.sleep(1)  # the request has begun
        server.signal(signal.SIGTERM)
        assert client.rest().startswith(b"HTTP/1.1 503 ")
        assert server.process.wait(10) == 0
        server.wait_for(r"Request cut off by the end of the worker: GET /slow\?60")
        server.wait_for("lifespan ended")


def test_websockets_are_closed_by_the_drain() -> None:
    """A WebSocket is told 1012, the application learns of it, and nothing waits in vain."""
    with gunicorn() as server:
        with entered(connect(f"ws://127.0.0.1:{server.address[1]}/")) as socket:
            await_(socket.send("a"))
            assert await_(socket.recv()) == "a"
            server.signal(signal.SIGTERM)
            await_(socket.wait_closed())
            assert socket.close_code == 1012
        assert server.process.wait(10) == 0
        server.wait_for("websocket ended: 1012")


def test_an_application_that_cannot_start_ends_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """lifespan.startup.failed is said in the log, and no worker is started again."""
    monkeypatch.setenv("FAILS", "1")
    with gunicorn() as server:
        server.wait_for("no database")
        assert server.process.wait(10) != 0
    assert len([line for line in server.log if "Booting worker" in line]) == 1


def test_no_request_is_lost_over_reloads() -> None:
    """Under load, SIGHUP after SIGHUP: every request on every connection gets its 200."""
    stop = gevent.event.Event()
    pids: set[int] = set()
    with gunicorn() as server:
        clients = [gevent.spawn(hammer, server, stop, pids) for _ in range(10)]
        until(lambda: pids)
        for number in range(1, 4):
            server.signal(signal.SIGHUP)
            until(partial(more_than, number, pids))
        stop.set()
        assert sum(client.get(timeout=30) for client in clients) > 30


def test_http2_is_refused_at_start() -> None:
    """A setting that this worker does not honour is an error, with a way out."""

    class Cfg:
        protocol = "http"
        http_protocols = ("h2", "h1")

    with pytest.raises(RuntimeError, match=re.escape("colorless.worker.asgi.StockASGIWorker")):
        ASGIWorker.check_config(Cfg(), None)

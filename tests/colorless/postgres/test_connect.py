"""Connecting never blocks the hub, takes only so long, and tries each address."""

import socket
import time

import psycopg2
import pytest

from colorless import DeadlineExceeded, fail_after
from colorless.postgres import ConnectTimeout
from colorless.postgres.connect import connect
from tests.colorless.postgres.conftest import Server
from tests.tools.proxy import Proxy
from tests.tools.ticker import Ticker

pytestmark = pytest.mark.usefixtures("way_to_wait")


def test_a_server_that_never_answers(database_url: str) -> None:
    """connect_timeout holds, and others run meanwhile."""
    with Proxy.before(database_url) as proxy, Ticker() as ticker:
        proxy.swallow()
        with pytest.raises(ConnectTimeout, match=r"127\.0\.0\.1.* in 0\.2 s"):
            connect(proxy.dsn, 0.2)
        assert ticker.count > 3


def test_an_interrupted_attempt_leaves_no_session(database_url: str, server: Server) -> None:
    """Not even as long as somebody keeps the error, and with it the half-made connection."""
    with Proxy.before(database_url) as proxy:
        proxy.mute()
        at_once = f"{proxy.dsn} sslmode=disable gssencmode=disable"  # nothing is negotiated first
        with pytest.raises(ConnectTimeout) as kept:
            connect(at_once, 0.5)
        server.wait_for(0)
        assert kept.value.__traceback__ is not None


def test_the_deadline_is_the_sooner(database_url: str) -> None:
    """A caller with little time waits no longer than that."""
    with Proxy.before(database_url) as proxy:
        proxy.swallow()
        with pytest.raises(DeadlineExceeded), fail_after(0.05):
            connect(proxy.dsn, 60)


def test_a_name_is_resolved_without_blocking(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow resolver stops only the caller, and no longer than connect_timeout."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(60))
    with Ticker() as ticker, pytest.raises(ConnectTimeout, match=r"db\.example"):
        connect("postgresql://u@db.example/x", 0.2)
    assert ticker.count > 3


def test_a_name_keeps_its_place_for_tls(database_url: str) -> None:
    """libpq gets the numeric address, and the name that the certificate is checked against."""
    with Proxy.before(database_url) as proxy:
        connection = connect(proxy.dsn.replace("host=127.0.0.1", "host=localhost"), 5)
        assert connection.info.dsn_parameters["host"] == "localhost"
        assert connection.info.dsn_parameters["hostaddr"] == "127.0.0.1"
        connection.close()


def test_the_next_host_is_tried(database_url: str) -> None:
    """A dead first host costs its time limit, no more."""
    with Proxy.before(database_url) as dead, Proxy.before(database_url) as alive:
        dead.swallow()
        both = alive.dsn.replace(f"host={alive.host}", "host=127.0.0.1,localhost")
        both = both.replace(f"port={alive.port}", f"port={dead.port},{alive.port}")
        connection = connect(both, 0.2)
        assert connection.info.port == alive.port
        connection.close()


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is psycopg2's own kind and names the host."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(psycopg2.OperationalError, match=r"db\.example"):
        connect("host=db.example", 5)


def test_a_refused_connection_names_the_address() -> None:
    """Who reads the log knows where nobody listened."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(psycopg2.OperationalError) as caught:
            connect(f"host=127.0.0.1 port={port}", 5)
        assert str(port) in caught.value.__notes__[0]

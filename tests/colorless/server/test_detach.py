"""An application that takes the socket over, as for a WebSocket."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.colorless.server.inside import serving, until

Environ = dict[str, Any]
Start = Callable[..., Any]

UPGRADE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def upper(environ: Environ, start_response: Start) -> list[bytes]:
    sock, data = environ["colorless.connection"].detach()
    sock.sendall(SWITCHING)
    while data or (data := sock.recv(100)):
        sock.sendall(data.upper())
        data = b""
    return []


def upper_on_gunicorns_socket(environ: Environ, start_response: Start) -> list[bytes]:
    sock = environ["gunicorn.socket"]
    sock.sendall(SWITCHING)
    while data := sock.recv(2):
        sock.sendall(data.upper())
    raise StopIteration


@pytest.mark.parametrize("app", [upper, upper_on_gunicorns_socket])
@pytest.mark.parametrize("early", [b"", b"sent with the head"])
def test_the_application_has_the_socket_and_what_was_read_from_it(
    app: Callable[..., Any], early: bytes
) -> None:
    """Both ways hand over the bytes that arrived with the request, in order, and the rest."""
    with serving(app) as inside:
        client = inside.connect()
        client.send(UPGRADE + early)
        assert client.file.read(len(SWITCHING)) == SWITCHING
        client.send(b" and later")
        expected = (early + b" and later").upper()
        assert client.file.read(len(expected)) == expected
        client.sock.shutdown(1)
        assert client.rest() == b""
        until(lambda: not inside.server.connections)


def test_the_worker_adds_nothing_to_a_detached_connection() -> None:
    """Whatever the application returns or raises after taking over is not sent."""

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        sock, _ = environ["colorless.connection"].detach()
        sock.sendall(b"mine")
        start_response("200 OK", [])
        return [b"not sent"]

    def failing(environ: Environ, start_response: Start) -> list[bytes]:
        sock, _ = environ["colorless.connection"].detach()
        sock.sendall(b"mine")
        raise RuntimeError("after the hand-over")

    for application in (app, failing):
        with serving(application) as inside:
            client = inside.connect()
            client.send(UPGRADE)
            assert client.rest() == b"mine"


def test_the_client_that_leaves_a_detached_connection_cancels_nothing() -> None:
    """Whoever has the socket sees its end; nothing is thrown into the green thread."""
    seen: list[bytes] = []

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        sock, _ = environ["colorless.connection"].detach()
        seen.append(sock.recv(10))
        return []

    with serving(app) as inside:
        client = inside.connect()
        client.send(UPGRADE)
        client.close()
        until(lambda: seen)
        assert seen == [b""]


def test_a_connection_is_detached_once() -> None:
    """A second detach() says what went wrong."""
    errors: list[str] = []

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        environ["colorless.connection"].detach()
        try:
            environ["colorless.connection"].detach()
        except RuntimeError as error:
            errors.append(str(error))
        return []

    with serving(app) as inside:
        client = inside.connect()
        client.send(UPGRADE)
        client.rest()
    assert "DETACHED" in errors[0]

"""What only shows on a real socket, through the worker: bodies that lie about their length, that
come in chunks or not at all."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.server import Server, running
from tests.tools.walk import Visitor

ROOT = Path(__file__).parents[2]
DEADLINE = 2


@pytest.fixture(scope="module")
def server(migrated_url: str) -> Iterator[Server]:
    """The service in a process of its own, with short deadlines."""
    env = {
        "DATABASE_URL": migrated_url,
        "PORT": "0",
        "WORKERS": "1",
        "REQUEST_TIMEOUT": str(DEADLINE),
        "MAX_BODY": "2000",
        "OUTSIDE_TASKS": "0",
    }
    with running(["gunicorn", "--config", str(ROOT / "gunicorn.conf.py")], env=env) as server:
        yield server


@pytest.fixture(scope="module")
def visitor(server: Server) -> Visitor:
    """Somebody with an account."""
    visitor = Visitor(server.url)
    visitor.registers()
    return visitor


def raw(server: Server, visitor: Visitor, *headers: str, body: bytes) -> tuple[int, str]:
    """Send exactly this; returns the status and all that came back."""
    head = [
        "POST /v1/rooms HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {visitor.token}",
        "Connection: close",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answer = b""
        while data := client.recv(65536):
            answer += data
    text = answer.decode()
    return int(text.split(" ", 2)[1]), text


def chunked(*parts: bytes) -> bytes:
    pieces = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts]
    return b"".join(pieces) + b"0\r\n\r\n"


def test_a_body_may_come_in_chunks(server: Server, visitor: Visitor) -> None:
    """A body without a length is read to its end."""
    body = chunked(b'{"name":', b' "in chunks"}')
    status, text = raw(server, visitor, "Transfer-Encoding: chunked", body=body)
    assert status == 201
    assert '"name":"in chunks"' in text


def test_chunks_have_the_same_limit(server: Server, visitor: Visitor) -> None:
    """A body that never says how long it is may be no longer than one that does."""
    body = chunked(b'{"name": "x", "topic": "' + b"x" * 3000, b'"}')
    status, text = raw(server, visitor, "Transfer-Encoding: chunked", body=body)
    assert status == 413
    assert "application/problem+json" in text


def test_a_length_that_is_too_large_is_refused_unread(server: Server, visitor: Visitor) -> None:
    """What a client says it will send is enough to refuse it."""
    status, text = raw(server, visitor, "Content-Length: 2001", body=b"")
    assert status == 413
    assert "application/problem+json" in text


def test_a_body_that_does_not_come_is_given_up(server: Server, visitor: Visitor) -> None:
    """A client that promises a body and sends none is answered at the deadline, and others are
    served meanwhile."""
    status, _ = raw(server, visitor, "Content-Length: 20", body=b'{"name":')
    assert status in (400, 408, 503)
    visitor.must(200, "GET", "/v1/rooms")


def test_answers_to_head_have_no_body(server: Server, visitor: Visitor) -> None:
    """HEAD is answered with the headers alone, so that the next answer is read as what it is."""
    request = (
        f"HEAD /v1/rooms HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {visitor.token}\r\n\r\n"
        f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request.encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    first, _, rest = answer.decode().partition("\r\n\r\n")
    assert first.startswith("HTTP/1.1 200")
    assert rest.startswith("HTTP/1.1 200")
    assert json.loads(rest.rpartition("\r\n\r\n")[2]) == {"status": "alive"}

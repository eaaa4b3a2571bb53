"""WebSockets of the ASGI worker, as a stock client and a raw one see them."""

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from colorless.bridge import await_, entered
from tests.colorless.server.asgi_inside import answer, serving
from tests.colorless.server.frames import HANDSHAKE, TEXT, frame
from tests.colorless.server.inside import until
from tests.colorless.server.outside import Server, gunicorn

WORKER = "colorless.worker.asgi.ASGIWorker"
sent = 0
NOISE = os.urandom(100_000)  # which nothing compresses


async def app(scope: Any, receive: Any, send: Any) -> None:
    """What the process of these tests serves: by path."""
    if scope["type"] == "websocket":
        await globals()[scope["path"].strip("/")](scope, receive, send)
    elif scope["type"] == "http":
        await answer(send, str(sent).encode())


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"x-own", b"1")]})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    print(f"ended with {message['code']}", file=sys.stderr, flush=True)


async def protocols(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1]})
    await send({"type": "websocket.send", "text": repr((scope["scheme"], "method" in scope))})
    await receive()


async def farewell(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4001, "reason": "bye"})


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close"})


async def deny(scope: Any, receive: Any, send: Any) -> None:
    assert "websocket.http.response" in scope["extensions"]
    start = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"a", b"b")]}
    await send(start)
    for text, more in ((b"log ", True), (b"in", False)):
        await send({"type": "websocket.http.response.body", "body": text, "more_body": more})


async def fail(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    raise ZeroDivisionError


async def flood(scope: Any, receive: Any, send: Any) -> None:
    global sent
    await send({"type": "websocket.accept"})
    for number in range(1, 201):
        await send({"type": "websocket.send", "bytes": NOISE})
        sent = number
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with gunicorn(worker=WORKER, app=f"{__name__}:app") as running:
        yield running


def url(server: Server, path: str) -> str:
    return f"ws://{server.address[0]}:{server.address[1]}/{path}"


def test_messages_of_any_size_and_kind_come_back(server: Server) -> None:
    """Text, bytes, empty, large and fragmented messages arrive whole, and pings are answered."""
    with entered(connect(url(server, "echo"), max_size=None)) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-own"] == "1"
        for message in ("grün", b"\x00\xff", "", b"x" * 126, "y" * 70_000, b"z" * 2_000_000):
            await_(socket.send(message))
            assert await_(socket.recv()) == message
        await_(socket.send(["in ", "three ", "parts"]))
        assert await_(socket.recv()) == "in three parts"
        await_(await_(socket.ping()))
        await_(socket.close(4000))
    server.wait_for("ended with 4000")


def test_a_client_that_vanishes_is_missed(server: Server) -> None:
    """Without a close frame the application gets 1006."""
    with entered(connect(url(server, "echo"))) as socket:
        await_(socket.send("a"))
        await_(socket.recv())
        socket.transport.abort()
        server.wait_for("ended with 1006")


def test_the_subprotocol_is_the_applications_choice(server: Server) -> None:
    """The scope has what the client offers, and is that of a WebSocket."""
    offered = [Subprotocol("a"), Subprotocol("b")]
    with entered(connect(url(server, "protocols"), subprotocols=offered)) as socket:
        assert socket.subprotocol == "b"
        assert await_(socket.recv()) == "('ws', False)"


@pytest.mark.parametrize("path, code, reason", [("farewell", 4001, "bye"), ("fail", 1011, None)])
def test_the_application_ends_it(server: Server, path: str, code: int, reason: str | None) -> None:
    """A close has the application's code and reason; an exception is 1011."""
    with entered(connect(url(server, path))) as socket:
        with pytest.raises(ConnectionClosed):
            await_(socket.recv())
        assert socket.close_code == code
        assert reason is None or socket.close_reason == reason


@pytest.mark.parametrize(
    "path, status, body",
    [("refuse", 403, b""), ("deny", 401, b"log in"), ("none", 500, b"Internal Server Error")],
)
def test_the_application_refuses_it(server: Server, path: str, status: int, body: bytes) -> None:
    """A close before the accept is 403, an exception 500; a response is sent as it is."""
    with pytest.raises(InvalidStatus) as refused:
        await_(connect(url(server, path)).__aenter__())
    assert refused.value.response.status_code == status
    assert body in refused.value.response.body
    assert body or not refused.value.response.body


def test_a_client_that_does_not_read_is_waited_for(server: Server) -> None:
    """send() waits, so that no more than the socket's buffers is under way; others go on."""
    with entered(connect(url(server, "flood"), max_size=None, max_queue=1)) as socket:
        seen = -1

        def stands_still() -> bool:
            nonlocal seen
            client = server.connect()
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            before, seen = seen, int(client.answer()[2])
            return before == seen > 0

        until(stands_still)
        assert seen < 200
        for _ in range(200):
            assert len(await_(socket.recv())) == 100_000


VERSION = b"Sec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


@pytest.mark.parametrize(
    "fields, status",
    [
        (b"Sec-WebSocket-Version: 8\r\n" + KEY, 426),
        (KEY, 426),
        (VERSION + b"Sec-WebSocket-Key: short\r\n", 400),
        (VERSION, 400),
        (VERSION + KEY + KEY, 400),
        (VERSION + KEY + b"Sec-WebSocket-Protocol: a b\r\n", 400),
        (VERSION + KEY + b"Content-Length: 1\r\n", 400),
    ],
)
def test_a_handshake_that_is_none_is_refused(fields: bytes, status: int) -> None:
    """The version, the key and the rest are checked before the application hears of it."""
    request = b"GET /echo HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    with serving(app) as inside:
        got, answered, _ = inside.exchange(request + fields + b"\r\n")
        assert got == status
        assert status != 426 or answered["sec-websocket-version"] == "13"


def test_http_1_0_knows_no_upgrade() -> None:
    """The field is to be ignored there (RFC 9110, section 7.8)."""
    with serving(app) as inside:
        assert inside.exchange(HANDSHAKE.replace(b"1.1", b"1.0") + b"\r\n")[0] == 200


def test_frames_sent_with_the_handshake_are_not_lost() -> None:
    """What comes in the same packet as the handshake is the first message."""
    with serving(echo) as inside:
        client = inside.connect()
        client.send(HANDSHAKE + b"\r\n" + frame(TEXT, b"hi"))
        assert client.answer()[0] == 101
        assert client.file.read(4) == b"\x81\x02hi"

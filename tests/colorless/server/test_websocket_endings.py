"""However a WebSocket ends: the client, the application and the log are told."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from colorless.server.engine.drain import cut_off
from colorless.worker import Limits
from tests.colorless.server.asgi_inside import answer, serving
from tests.colorless.server.frames import (
    BINARY,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    Socket,
    accepted,
    close,
    frame,
)
from tests.colorless.server.inside import until
from tests.colorless.server.test_endings import ENDINGS


class Application:
    """Does ``then`` once it has accepted, and listens to the end; keeps what it was told."""

    def __init__(self, then: Callable[[Any], Any] | None = None) -> None:
        self.then = then
        self.told: list[dict[str, Any]] = []
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.receive, self.send = receive, send
        self.told.append(await receive())
        try:
            await send({"type": "websocket.accept"})
            if self.then is not None:
                await self.then(self)
            while self.told[-1]["type"] != "websocket.disconnect":
                self.told.append(await receive())
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    @property
    def end(self) -> tuple[int, str]:
        """What it was told in the end."""
        until(lambda: self.told and self.told[-1]["type"] == "websocket.disconnect")
        return self.told[-1]["code"], self.told[-1]["reason"]


def test_the_clients_reason_is_told() -> None:
    """The application gets code and reason of the close frame, as often as it asks."""

    async def ask_again(app: Application) -> None:
        assert await app.receive() == await app.receive()
        app.told.append(await app.receive())

    app = Application(ask_again)
    with accepted(app) as socket:
        socket.send(close(4000, "grün".encode()))
        assert socket.read_close() == (4000, "grün")
        assert app.end == (4000, "grün")


def test_a_client_without_a_close_is_1006() -> None:
    """It has gone, and gave neither a code nor a reason."""
    app = Application()
    with accepted(app) as socket:
        socket.client.close()
        assert app.end == (1006, "")


def test_nothing_can_be_sent_behind_the_end() -> None:
    """send() raises an OSError, as ASGI 2.4 has it; a close is nothing any more."""
    raised = []

    async def send_later(app: Application) -> None:
        await app.receive()
        for kind in ("text", "bytes"):
            try:
                await app.send({"type": "websocket.send", kind: "a" if kind == "text" else b"a"})
            except OSError as error:
                raised.append(error)
        await app.send({"type": "websocket.close"})

    app = Application(send_later)
    with accepted(app) as socket:
        socket.send(close(1000))
        assert app.end == (1000, "")
    assert len(raised) == 2


@pytest.mark.parametrize(
    "message, says",
    [
        ({"type": "websocket.close", "code": 1006}, "1006"),
        ({"type": "websocket.close", "code": 1000, "reason": "ü" * 62}, "123 bytes"),
        ({"type": "websocket.send"}, "'text' or 'bytes'"),
        ({"type": "websocket.accept"}, "accepted"),
        ({"type": "http.response.start"}, "http.response.start"),
        ({"type": "websocket.http.response.start", "status": 200}, "accepted"),
    ],
)
def test_what_cannot_be_sent_is_named(
    message: dict[str, Any], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The application gets an error that says what is wrong, and the client 1011."""

    async def send_it(app: Application) -> None:
        await app.receive()
        await app.send(message)

    with accepted(Application(send_it)) as socket:
        socket.inside.worker.log.error_log.propagate = True
        socket.send(frame(TEXT, b"now"))
        assert socket.read_close() == (1011, "the application failed")
        until(lambda: socket.inside.server.load == 0)
    assert says in caplog.text


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_whatever_ends_an_accepted_one_is_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets 1011, the log a line that names the request, and the next one is served."""

    async def fail(app: Application) -> None:
        await app.receive()
        raise error

    with accepted(Application(fail)) as socket:
        socket.inside.worker.log.error_log.propagate = True
        socket.send(frame(TEXT, b"a"))
        assert socket.read_close() == (1011, "the application failed")
        until(lambda: socket.inside.server.load == 0)
        assert Socket(socket.inside).status == 101
    assert "/path" in caplog.text


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_whatever_ends_one_that_was_not_accepted_is_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 500, and the log a line that names the request."""

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with serving(fail) as inside:
        inside.worker.log.error_log.propagate = True
        assert inside.exchange(HANDSHAKE + b"\r\n")[0] == 500
        until(lambda: inside.server.load == 0)
    assert "/path" in caplog.text


async def silent(scope: Any, receive: Any, send: Any) -> None:
    await receive()


async def half(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.http.response.start", "status": 401, "headers": []})


@pytest.mark.parametrize("app, says", [(silent, "neither accepted"), (half, "in the middle")])
def test_an_application_that_does_not_decide_is_named(
    app: Any, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It returned without an accept, a close or a whole response: 500."""
    with serving(app) as inside:
        inside.worker.log.error_log.propagate = True
        assert inside.exchange(HANDSHAKE + b"\r\n")[0] == 500
        until(lambda: inside.server.load == 0)
    assert says in caplog.text


def test_an_application_that_returns_closes() -> None:
    """Nothing went wrong: 1000. It may do so before the client has answered."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "last"})

    with accepted(app) as socket:
        assert socket.read() == (TEXT, b"last")
        assert socket.read() == (8, b"\x03\xe8")
        socket.send(close(1000))
        assert socket.client.rest() == b""
        until(lambda: socket.inside.server.load == 0)


def test_a_refusal_is_the_end() -> None:
    """Behind it the application is told that the client has gone, and no second one goes out."""
    app = Application()
    told: list[Any] = []

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        told.append(await receive())
        await send({"type": "websocket.close"})
        told.append(await receive())
        with pytest.raises(RuntimeError, match="refused"):
            await send({"type": "websocket.accept"})
        app.told = told

    with serving(refuse) as inside:
        assert inside.exchange(HANDSHAKE + b"\r\n")[0] == 403
        assert app.end == (1006, "")


@pytest.mark.parametrize("accepted_before", [True, False])
def test_a_drain_says_that_the_server_restarts(accepted_before: bool) -> None:
    """1012, to those that are open when it begins and to those that are accepted later."""
    ready = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not accepted_before:
            await ready.wait()
        await send({"type": "websocket.accept"})
        await receive()
        told.append(await receive())

    told: list[Any] = []
    with serving(app) as inside:
        client = inside.connect()
        client.send(HANDSHAKE + b"\r\n")
        until(lambda: inside.server.load == 1)
        if accepted_before:
            assert client.answer()[0] == 101
        inside.server.draining.set()
        gevent.sleep(0.01)
        ready.set()
        if not accepted_before:
            assert client.answer()[0] == 101
        assert client.file.read(4)[2:] == (1012).to_bytes(2, "big")
        assert client.file.read(19) == b"the server restarts"
        client.send(close(1012))
        assert client.rest() == b""
        until(lambda: told)
    assert (told[0]["code"], told[0]["reason"]) == (1012, "")


def test_what_a_drain_cuts_off_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """An application that does not end is cancelled, and the log says so."""

    async def wait(app: Application) -> None:
        await app.go_on.wait()

    app = Application(wait)
    with accepted(app) as socket:
        server = socket.inside.server
        socket.inside.worker.log.error_log.propagate = True
        server.draining.set()
        cut_off(server, 5)
        assert socket.read_close()[0] == 1012
        assert server.load == 0
    assert app.cancelled
    assert "cut off by the end of the worker: GET /path" in caplog.text


@pytest.mark.parametrize("goodbye", [close(1000), b""])
def test_an_application_that_does_not_listen_is_cancelled(goodbye: bytes) -> None:
    """When its client closes or vanishes, after asgi_disconnect_grace_period."""

    async def wait(app: Application) -> None:
        await app.go_on.wait()

    app = Application(wait)
    with accepted(app, asgi_disconnect_grace_period=0) as socket:
        if goodbye:
            socket.send(goodbye)
        else:
            socket.client.close()
        until(lambda: app.cancelled)


def test_an_application_that_has_closed_may_go_on() -> None:
    """Its own close is no reason to cancel it, whatever the client does then."""

    async def close_and_work(app: Application) -> None:
        await app.send({"type": "websocket.close", "code": 4001, "reason": "bye"})
        await app.go_on.wait()

    app = Application(close_and_work)
    with accepted(app, asgi_disconnect_grace_period=0) as socket:
        assert socket.read() == (8, b"\x0f\xa1bye")
        socket.send(close(4001))
        assert socket.client.rest() == b""
        socket.client.close()
        gevent.sleep(0.02)
        app.go_on.set()
        assert app.end == (4001, "")
        assert not app.cancelled


def test_a_client_that_answers_pings_stays() -> None:
    """The server asks; a pong, or anything else, is an answer."""
    app = Application()
    with accepted(app, Limits(ping_interval=0.05)) as socket:
        for answer_ in (frame(PONG), frame(BINARY, b"a"), frame(PONG, b"b")):
            assert socket.read() == (PING, b"")
            socket.send(answer_)
        assert socket.read() == (PING, b"")


def test_a_client_that_answers_no_ping_is_gone() -> None:
    """Both sides are told why."""
    app = Application()
    with accepted(app, Limits(ping_interval=0.05)) as socket:
        for _ in range(2):
            assert socket.read() == (PING, b"")
        assert socket.read_close() == (1011, "no answer to a ping")
        assert app.end == (1011, "no answer to a ping")


def test_messages_that_nobody_takes_are_not_read() -> None:
    """The client has to wait, and is not taken for gone meanwhile; then all of them arrive."""
    message = frame(BINARY, bytes(10_000))

    async def wait(app: Application) -> None:
        await app.go_on.wait()

    app = Application(wait)
    with accepted(app, Limits(ping_interval=0.05)) as socket:
        sent = 0

        def flood() -> None:
            nonlocal sent
            for sent in range(1, 501):  # noqa: B007
                socket.client.sock.sendall(message)

        flooding = gevent.spawn(flood)
        flooding.join(0.5)
        assert 0 < sent < 500
        app.go_on.set()
        flooding.join()
        until(lambda: len(app.told) == 501)
        socket.send(close(1000))
        assert app.end == (1000, "")


def test_pings_are_answered_while_the_application_is_busy() -> None:
    """The protocol's own business does not wait for it."""

    async def wait(app: Application) -> None:
        await app.go_on.wait()

    app = Application(wait)
    with accepted(app) as socket:
        socket.send(frame(PING, b"1"), frame(PING, b"2"))
        assert socket.read() == (PONG, b"1")
        assert socket.read() == (PONG, b"2")
        app.go_on.set()


def test_without_websockets_the_request_is_an_ordinary_one() -> None:
    """The application answers it, and the log says once what to install."""
    code = f"""
import sys
sys.modules["websockets"] = None
from colorless.patch import patch_everything
patch_everything()
from {__name__} import plain, HANDSHAKE, serving
with serving(plain) as inside:
    for _ in range(2):
        print(inside.exchange(HANDSHAKE + b"\\r\\n")[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["200", "200"], done.stderr
    assert done.stderr.count("pip install 'colorless-io[websocket]'") == 1


async def plain(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await answer(send, b"")

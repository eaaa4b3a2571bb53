"""A client that goes away takes its request with it, where that is safe or asked for."""

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import AsyncResult, Event

from colorless.worker import SAFE_METHODS, ClientDisconnected, Limits
from tests.colorless.server.inside import serving, until

Environ = dict[str, Any]
Start = Callable[..., Any]

CANCELLING = Limits(cancelled_methods=SAFE_METHODS)


class Waiting:
    """An application that waits, and tells how its wait ended."""

    def __init__(self, cancel: bool | None = None) -> None:
        self.cancel = cancel
        self.begun = Event()
        self.go_on = Event()
        self.ended: AsyncResult = AsyncResult()

    def __call__(self, environ: Environ, start_response: Start) -> list[bytes]:
        if self.cancel is not None:
            environ["colorless.connection"].cancel_on_disconnect = self.cancel
        self.begun.set()
        try:
            self.go_on.wait()
        except BaseException as error:
            self.ended.set(type(error))
            raise
        self.ended.set(environ["colorless.connection"].gone)
        start_response("200 OK", [("Content-Length", "0")])
        return []


def leave(app: Waiting, method: bytes, limits: Limits) -> None:
    with serving(app, limits) as inside:
        client = inside.connect()
        client.send(method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
        app.begun.wait()
        (connection,) = inside.server.connections
        client.close()
        until(lambda: connection.gone)
        app.go_on.set()
        app.ended.wait()
        until(lambda: not inside.server.connections)
        assert inside.server.load == 0


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_a_safe_request_ends_with_its_client(method: bytes) -> None:
    """ClientDisconnected, an ordinary exception, is raised where the request waits."""
    app = Waiting()
    leave(app, method, CANCELLING)
    assert app.ended.get() is ClientDisconnected
    assert issubclass(ClientDisconnected, Exception)


@pytest.mark.parametrize(
    "method, limits",
    [(b"GET", Limits()), (b"POST", CANCELLING), (b"PATCH", CANCELLING), (b"DELETE", CANCELLING)],
)
def test_other_requests_are_finished(method: bytes, limits: Limits) -> None:
    """By default, and when it changes something, a request runs on and can see that it may stop."""
    app = Waiting()
    leave(app, method, limits)
    assert app.ended.get() is True


@pytest.mark.parametrize(
    "method, cancel, ended", [(b"POST", True, ClientDisconnected), (b"GET", False, True)]
)
def test_the_application_decides(method: bytes, cancel: bool, ended: Any) -> None:
    """environ["colorless.connection"].cancel_on_disconnect overrides the setting."""
    app = Waiting(cancel)
    leave(app, method, CANCELLING)
    assert app.ended.get() is ended


def test_the_access_log_says_499(caplog: pytest.LogCaptureFixture) -> None:
    """A request that its client left is logged with nginx's status for that."""
    app = Waiting()
    logged: list[str] = []
    with serving(app, CANCELLING) as inside:
        inside.speaker.service.hooks.logs_access = True
        inside.worker.log.access = lambda response, *_: logged.append(response.status)
        client = inside.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        app.begun.wait()
        client.close()
        until(lambda: logged)
    assert logged == ["499 Client Closed Request"]


def test_clean_up_is_not_interrupted() -> None:
    """close() of the response may wait: the client's leaving does not cut it short."""
    cleaned = Event()
    streaming = Event()

    class Stream:
        def __iter__(self) -> Any:
            yield b"first"
            streaming.set()
            Event().wait()

        def close(self) -> None:
            gevent.sleep(0.01)
            cleaned.set()

    def app(environ: Environ, start_response: Start) -> Any:
        start_response("200 OK", [])
        return Stream()

    with serving(app, CANCELLING) as inside:
        client = inside.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        streaming.wait()
        client.close()
        assert cleaned.wait(5)


def test_the_next_request_of_a_green_thread_is_not_hit() -> None:
    """A runner whose request was cancelled serves the next one undisturbed."""
    app = Waiting()
    with serving(app, CANCELLING) as inside:
        client = inside.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        app.begun.wait()
        client.close()
        app.ended.wait()
        app.go_on.set()
        for _ in range(3):
            assert inside.exchange(b"GET / HTTP/1.1\r\n\r\n")[0] == 200


def test_a_client_that_says_it_sends_no_more_still_gets_its_answer() -> None:
    """A request that has not had to wait is answered although its client half-closed."""

    def hello(environ: Environ, start_response: Start) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    with serving(hello) as inside:
        client = inside.connect()
        client.sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * 2)
        client.sock.shutdown(1)
        assert client.answer()[2] == b"hello"
        assert client.answer()[2] == b"hello"

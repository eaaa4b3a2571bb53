"""However a request ends, its client is told and the log knows."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from colorless.server.engine.drain import cut_off
from colorless.server.engine.limits import ClientDisconnected
from tests.colorless.server.asgi_inside import answer
from tests.colorless.server.asgi_inside import serving as serving_asgi
from tests.colorless.server.colours import Colour, in_both_colours
from tests.colorless.server.inside import serving, until

GET = b"GET /path HTTP/1.1\r\nHost: a\r\n\r\n"


class Own(BaseException):
    """As none that anybody knows."""


ENDINGS: list[BaseException] = [
    ValueError(),
    Own(),
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    StopIteration(),
    gevent.GreenletExit(),
    gevent.Timeout(1),
    asyncio.CancelledError(),
    ClientDisconnected(),
]


def raising(error: BaseException) -> Callable[[], object]:
    def function() -> None:
        raise error

    return function


@in_both_colours
@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_whatever_ends_a_request_is_logged_and_answered(
    colour: Colour, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 500, the log a line that names the request, and the next one is served."""
    application = colour.doing(raising(error))
    with colour.serving(application) as inside:
        inside.worker.log.error_log.propagate = True
        client = inside.connect()
        client.send(GET)
        assert client.answer()[0] == 500
        assert client.rest() == b""
        until(lambda: inside.server.load == 0)
        inside.load(colour.doing(lambda: None))
        assert inside.exchange(GET)[0] == 200
    assert "/path" in caplog.text


def test_a_wsgi_response_that_has_begun_ends_with_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No second head goes out in the middle of a body, and StopIteration is no exception to it."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "10")])
        yield b"hello"
        raise Own

    with serving(app) as inside:
        inside.worker.log.error_log.propagate = True
        client = inside.connect()
        client.send(GET)
        assert client.rest().endswith(b"\r\n\r\nhello")
        until(lambda: inside.server.load == 0)
    assert "Error handling request GET /path" in caplog.text


def test_an_asgi_response_that_has_begun_ends_with_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No second head goes out in the middle of a body."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        raise Own

    with serving_asgi(app) as inside:
        inside.worker.log.error_log.propagate = True
        client = inside.connect()
        client.send(GET)
        assert client.rest().endswith(b"\r\n\r\nhello")
        until(lambda: inside.server.load == 0)
    assert "Error handling request GET /path" in caplog.text


@in_both_colours
def test_what_the_end_of_a_worker_cuts_off_is_told(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 503 instead of an empty reply, and the log a line."""
    caplog.set_level(logging.WARNING)
    running: list[None] = []

    def wait() -> None:
        running.append(None)
        gevent.sleep(60)

    with colour.serving(colour.doing(wait)) as inside:
        inside.worker.log.error_log.propagate = True
        client = inside.connect()
        client.send(GET)
        until(lambda: running)
        inside.server.draining.set()
        cut_off(inside.server, 5)
        assert client.answer()[0] == 503
    assert "cut off by the end of the worker: GET /path" in caplog.text


def test_wsgi_reads_its_body_behind_the_start_of_its_response() -> None:
    """What has arrived of a body is the application's until the response has ended."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        until(lambda: len(environ["colorless.connection"].buffer) == 5)
        yield b"begun "
        yield environ["wsgi.input"].read()

    with serving(app) as inside:
        client = inside.connect()
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
            until(lambda: inside.server.load == 1)
            client.send(b"hello")
            assert client.answer()[2] == b"begun hello"
            until(lambda: inside.server.load == 0)


def test_asgi_reads_its_body_behind_the_start_of_its_response() -> None:
    """What has arrived of a body is the application's until the response has ended."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"]})

    with serving_asgi(app) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")
        assert client.answer()[2] == b"hello"
        inside.load(lambda scope, receive, send: answer(send, b""))
        client.send(GET)
        assert client.answer()[0] == 200

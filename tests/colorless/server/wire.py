"""What a server makes of a byte stream: this worker, and gunicorn's parser in Python beside it.

Both readings are lists of requests, each a selection of its environ with the body added, and the
name of the error that ended the stream, if one did.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gevent
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

from colorless.server.engine.connection import State
from tests.colorless.server.inside import Inside

PEER = ("192.0.2.1", 4711)
LISTENER = ("192.0.2.2", 80)
CUT_SHORT = "the body was cut short"
_NEVER_READABLE, _ = os.pipe()

Read = dict[str, Any]


@dataclass
class Reading:
    """The requests in a byte stream, and how it ended."""

    requests: list[Read] = field(default_factory=list)
    error: str | None = None


class FakeSocket:
    """A socket on which the test says what arrives; what is sent is dropped."""

    def __init__(self) -> None:
        self.arriving: list[bytes] = []

    def settimeout(self, seconds: float | None) -> None: ...

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...

    def fileno(self) -> int:
        return _NEVER_READABLE

    def recv(self, size: int) -> bytes:
        if not self.arriving:
            raise BlockingIOError
        return self.arriving.pop(0)

    def send(self, data: bytes) -> int:
        return len(data)


class Wire:
    """Feeds byte streams to a worker and records what reaches the application."""

    def __init__(self, inside: Inside) -> None:
        self.worker, self.server = inside.worker, inside.server
        inside.load(self._app)
        self.worker.handle_error = self._failed
        self.reading = Reading()

    def read(self, pieces: Iterable[bytes], peer: Any = PEER) -> Reading:
        """What the worker makes of ``pieces``, each arriving on its own, and then the end."""
        self.reading = Reading()
        sock = FakeSocket()
        connection = self.server.accepted(sock, peer, LISTENER)
        for piece in [*filter(None, pieces), b""]:
            if connection.state in (State.CLOSED, State.CLOSING):
                break
            sock.arriving.append(piece)
            _in_hub(connection._on_readable)
        for _ in range(100):
            if connection.state in (State.CLOSED, State.CLOSING):
                break
            gevent.sleep(0)
        connection.close()
        return self.reading

    def _app(self, environ: Read, start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read()
        self.reading.requests.append(_selected(environ, body))
        start_response("200 OK", [("Content-Length", "0")])
        return []

    def _failed(self, request: Any, client: Any, address: Any, error: BaseException) -> None:
        self.reading.error = type(error).__name__


def reference(cfg: Config, data: bytes, peer: Any = PEER) -> Reading:
    """What gunicorn's parser in Python makes of ``data``."""
    cfg.set("http_parser", "python")
    reading = Reading()
    parser = RequestParser(cfg, iter([data]), peer)
    try:
        proxied = None
        for request in parser:
            # As gunicorn's workers do for the later requests of a connection.
            proxied = request.proxy_protocol_info = request.proxy_protocol_info or proxied
            _, environ = wsgi.create(request, FakeSocket(), peer, LISTENER, cfg)
            body = request.body.read()
            if len(body) < int(environ.get("CONTENT_LENGTH", 0)):
                # gunicorn passes it on; this worker does not.
                reading.error = CUT_SHORT
                break
            reading.requests.append(_selected(environ, body))
    except Exception as error:
        reading.error = type(error).__name__
    return reading


def _selected(environ: Read, body: bytes) -> Read:
    selected = {key: value for key, value in environ.items() if key.isupper()}
    selected["wsgi.url_scheme"] = environ["wsgi.url_scheme"]
    selected["body"] = body
    return selected


def _in_hub(callback: Callable[[], None]) -> None:
    gevent.get_hub().loop.run_callback(callback)
    gevent.sleep(0)

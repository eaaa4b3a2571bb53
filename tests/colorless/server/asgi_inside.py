"""An ASGI worker inside the test's process, and what it makes of a byte stream."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from colorless.worker import Limits
from colorless.worker.asgi import ASGIWorker
from tests.colorless.server import inside
from tests.colorless.server.wire import Read, Reading, Wire


class Inside(inside.Inside):
    """A worker and the means to connect to it."""

    worker_class = ASGIWorker
    worker: ASGIWorker

    def load(self, app: Callable[..., Any]) -> None:
        """Serve ``app`` from now on."""
        self.worker.asgi = app
        if self.worker.server is not None:
            self.speaker.service.application = app


def serving(
    app: Callable[..., Any], limits: Limits | None = None, **settings: Any
) -> AbstractContextManager[Any]:
    """A worker that serves ``app``; ``settings`` are gunicorn's."""
    return inside.serving(app, limits, Inside, **{"asgi_lifespan": "off", **settings})


async def body_of(receive: Callable[..., Any]) -> bytes | None:
    """All of a request's body; ``None`` if the client left before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        more = message["more_body"]
    return body


async def answer(send: Callable[..., Any], body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """A response with a length."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


class ASGIWire(Wire):
    """Feeds byte streams to an ASGI worker and records what reaches the application."""

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:  # type: ignore[override]
        if scope["type"] == "websocket":
            self.reading.requests.append({"body": None, **_environ(scope)})
            await send({"type": "websocket.close"})
            return
        body = await body_of(receive)
        if body is not None:
            self.reading.requests.append({"body": body, **_environ(scope)})
            await answer(send, b"")


def comparable(reading: Reading) -> Reading:
    """What both interfaces tell of the requests that gunicorn's parser read."""
    return Reading([_selected(read) for read in reading.requests], reading.error)


def _selected(environ: Read) -> Read:
    kept = {"REQUEST_METHOD", "QUERY_STRING", "SERVER_PROTOCOL", "REMOTE_ADDR", "CONTENT_TYPE"}
    kept |= {"CONTENT_LENGTH", "wsgi.url_scheme", "body"}
    # Names with an underscore that a trusted proxy may send change a WSGI environ's meaning.
    dropped = ("HTTP_SCRIPT_NAME", "HTTP_PATH_INFO")
    return {
        key: value
        for key, value in environ.items()
        if key in kept or (key.startswith("HTTP_") and key not in dropped)
    }


def _environ(scope: Any) -> Read:
    """A scope in the words of an environ."""
    environ = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"].replace("ws", "http"),
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if name in (b"content-type", b"content-length") else "HTTP_" + key
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return _selected(environ)

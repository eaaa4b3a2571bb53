"""From the bytes of a request's head to a WSGI environ, by either way."""

from __future__ import annotations

import os
from typing import Any

from colorless.compat import gunicorn
from colorless.server.engine.connection import Connection
from colorless.server.engine.head import UNUSUAL, HeadReader
from colorless.server.engine.settings import HeadLimits
from colorless.server.request import Request, Shared, read_as_gunicorn
from colorless.server.wsgi.body import body_of
from colorless.server.wsgi.handover import HandedOver
from colorless.server.wsgi.response import Response

# A second one makes the message ambiguous (RFC 9110, section 5.3): gunicorn refuses it.
_ONCE = frozenset({"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH"})
# Guessed. Clients send a few dozen names in a few spellings; one that invents names must not
# fill the memory.
_MAX_NAMES = 1024


class EnvironReader(HeadReader):
    """Reads heads into environs, one at a time; one reader serves all connections of a worker."""

    def __init__(self, cfg: Any, limits: HeadLimits) -> None:
        super().__init__(limits)
        self._cfg = cfg
        self._base = {
            **gunicorn.base_environ(cfg),
            "wsgi.multithread": True,
            "wsgi.url_scheme": "https" if cfg.is_ssl else "http",
        }
        self._script_name = os.environ.get("SCRIPT_NAME", "")
        self._scheme_keys = [
            (_key(name.encode("latin-1")), secure)
            for name, secure in cfg.secure_scheme_headers.items()
        ]
        self._once = _ONCE.union(key for key, _ in self._scheme_keys)
        self._keys: dict[bytes, str | None] = {}
        self._environ: dict[str, Any] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """As the base class says."""
        key = self._keys.get(name, "")
        if key == "":
            key = self._remember(name)
        environ = self._environ
        if key is None or (key in environ and key in self._once):
            self.refuse()
        elif key in environ:
            environ[key] += "," + value.decode("latin-1").strip(" \t")
        else:
            environ[key] = value.decode("latin-1").strip(" \t")

    def _remember(self, name: bytes) -> str | None:
        key = None if UNUSUAL.fullmatch(name) else _key(name)
        if len(self._keys) < _MAX_NAMES:
            self._keys[name] = key
        return key

    def read(self, connection: Connection) -> Request | None:
        """Take a plain request off the connection's buffer; ``None`` to go the long way."""
        match = self.match(connection.buffer)
        if match is None:
            return None
        shared = self._shared(connection)
        environ = self._environ = shared.environ.copy()
        if not self.split(match.group()):
            return None
        method, target, minor = match.groups()
        request = Request(
            self._cfg, connection, method.decode(), target.decode(), 1 if minor == b"1" else 0
        )
        request.environ = environ
        if method == b"CONNECT" or not self._complete(connection, request, shared.trusted):
            return None
        connection.buffer = connection.buffer[match.end() :]
        length = environ.get("CONTENT_LENGTH")
        request.body = body_of(connection, int(length) if length else 0)
        environ["wsgi.input"] = request.body
        return request

    def read_as_gunicorn(self, connection: Connection) -> tuple[Any, Response]:
        """Take any request off the connection by gunicorn's own code: the request, with its
        environ, and the response that gunicorn has made for it. Raises what that raises."""
        request = read_as_gunicorn(connection, self._cfg)
        shared = self._shared(connection)
        shared.learn(request)
        response, environ = gunicorn.create(
            request,
            connection.transport,
            connection.peer,
            connection.listener,
            self._cfg,
            response_class=Response,
        )
        request.environ = {**shared.environ, **environ}
        for key in ("gunicorn.socket", "wsgi.multithread"):
            request.environ[key] = shared.environ[key]
        return request, response

    def _shared(self, connection: Connection) -> Shared:
        shared: Shared | None = connection.memo
        if shared is None:
            shared = connection.memo = Shared(connection, self._cfg)
            shared.environ |= self._base
            shared.environ["colorless.connection"] = connection
            shared.environ["colorless.draining"] = connection.server.draining
            shared.environ["gunicorn.socket"] = HandedOver(connection)
        return shared

    def _complete(self, connection: Connection, request: Request, trusted: bool) -> bool:
        environ = self._environ
        length = environ.get("CONTENT_LENGTH", "0")
        if not (length.isascii() and length.isdigit()):
            return False
        path = request.path
        if self._script_name:
            if not path.startswith(self._script_name):
                return False
            path = path[len(self._script_name) :]
        environ["REQUEST_METHOD"] = request.method
        environ["QUERY_STRING"] = request.query
        environ["RAW_URI"] = request.uri
        environ["SERVER_PROTOCOL"] = "HTTP/1.1" if request.version[1] else "HTTP/1.0"
        environ["SCRIPT_NAME"] = self._script_name
        environ["PATH_INFO"] = gunicorn.unquote_path(path) if "%" in path else path
        if trusted and not self._apply_scheme(environ):
            return False
        if isinstance(connection.listener, str):
            _name_server_after_host(environ)
        return True

    def _apply_scheme(self, environ: dict[str, Any]) -> bool:
        said = [environ[key] == secure for key, secure in self._scheme_keys if key in environ]
        if said:
            environ["wsgi.url_scheme"] = "https" if said[0] else "http"
        return len(set(said)) < 2


def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


def _name_server_after_host(environ: dict[str, Any]) -> None:
    """On a Unix socket the only name this server has is the one the client used."""
    name, _, port = environ.get("HTTP_HOST", "").partition(":")
    environ["SERVER_NAME"] = name
    if not port and "HTTP_HOST" in environ:
        port = "443" if environ["wsgi.url_scheme"] == "https" else "80"
    environ["SERVER_PORT"] = port

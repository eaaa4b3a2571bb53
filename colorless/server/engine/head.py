"""From the bytes of a request's head to gunicorn's request object and a WSGI environ.

Two ways lead there, and both must agree. *Every* head could be read by gunicorn's own parser, in
Python, which decides what a valid request is. The short way is for the plain requests that make
up nearly all traffic; a head takes it only if the grammar below (gunicorn's rules, narrowed)
matches the whole of it, *and* llhttp, Node's parser, accepts it, *and* no field in it needs a
decision that gunicorn has code for. Anything else, malformed heads included, goes the long way and
gets gunicorn's answer. So nothing is accepted here that gunicorn refuses; docs/worker.md has the
measurements behind this choice.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http import message, wsgi
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from colorless.server.wsgi.body import Incoming, body_of
from colorless.server.wsgi.response import Response

if TYPE_CHECKING:
    from colorless.server.engine.connection import Connection

# Method, origin-form target, version, and fields without obsolete folding. gunicorn accepts more
# (other target forms, other 1.x versions, unconventional methods if told to): the long way.
_HEAD = re.compile(
    rb"([A-Z0-9!$%&'*+\-.^_`|~]{3,20}) (/[\x21-\x7e]*+) HTTP/1\.([01])\r\n"
    rb"(?:[0-9A-Za-z!#$%&'*+\-.^_`|~]+:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+\r\n"
)
# A name needs gunicorn's decision: framing other than by length, Expect, and every name with an
# underscore, which the environ cannot tell from one with a hyphen.
UNUSUAL = re.compile(rb"transfer-encoding|expect|.*_.*", re.IGNORECASE)
# A second one makes the message ambiguous (RFC 9110, section 5.3): gunicorn refuses it.
_ONCE = frozenset({"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH"})
# Guessed. Clients send a few dozen names in a few spellings; one that invents names must not
# fill the memory.
_MAX_NAMES = 1024


class Request(message.Request):
    """gunicorn's request, for hooks and the access log, filled from the environ."""

    def __init__(self, connection: Connection, method: str, uri: str, minor: int) -> None:
        self.cfg = connection.worker.cfg
        self.peer_addr = self.remote_addr = connection.peer
        self.method = method
        self.uri = uri
        self.version = (1, minor)
        self.req_number = connection.requests
        self.must_close = False
        self.trailers: list[tuple[str, str]] = []
        self.proxy_protocol_info = None
        self.environ: dict[str, Any] = {}
        rest, _, self.fragment = uri.partition("#")
        self.path, _, self.query = rest.partition("?")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The fields as gunicorn lists them; those sent more than once appear joined."""
        listed = [
            (key[5:].replace("_", "-"), value)
            for key, value in self.environ.items()
            if key.startswith("HTTP_")
        ]
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if key in self.environ:
                listed.append((key.replace("_", "-"), self.environ[key]))
        return listed

    @property
    def scheme(self) -> str:
        """``http`` or ``https``, as a trusted proxy or the socket has it."""
        return str(self.environ["wsgi.url_scheme"])

    def should_close(self) -> bool:
        """Whether the client said that this is the connection's last request."""
        if self.must_close:
            return True
        said = self.environ.get("HTTP_CONNECTION")
        if said is None:
            return self.version == (1, 0)
        words = [word.strip(" \t") for word in said.lower().split(",")]
        return "close" in words or (self.version == (1, 0) and "keep-alive" not in words)


class GunicornRequest(message.Request):
    """A request read by gunicorn's parser in Python, its strictest, whatever is installed."""

    _parse_fast = message.Request._parse_python


class HeadReader:
    """Reads heads into environs, one at a time; one reader serves all connections of a worker."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg
        # Below both limits no line and no field can exceed its own.
        self._max_size = min(
            cfg.limit_request_line or message.MAX_REQUEST_LINE,
            cfg.limit_request_field_size or message.DEFAULT_MAX_HEADERFIELD_SIZE,
            message.MAX_REQUEST_LINE,
        )
        self._max_fields = cfg.limit_request_fields or message.MAX_HEADERS
        self._script_name = os.environ.get("SCRIPT_NAME", "")
        self._scheme_keys = [
            (_key(name.encode("latin-1")), secure)
            for name, secure in cfg.secure_scheme_headers.items()
        ]
        self._once = _ONCE.union(key for key, _ in self._scheme_keys)
        self._keys: dict[bytes, str | None] = {}
        self._environ: dict[str, Any] = {}
        self._plain = self._complete = False
        self._parser = HttpRequestParser(self)

    # llhttp's callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp read a field."""
        key = self._keys.get(name, "")
        if key == "":
            key = self._remember(name)
        environ = self._environ
        if key is None or (key in environ and key in self._once):
            self._plain = False
        elif key in environ:
            environ[key] += "," + value.decode("latin-1").strip(" \t")
        else:
            environ[key] = value.decode("latin-1").strip(" \t")

    def on_message_complete(self) -> None:
        """llhttp expects no body, so this parser can go on with the next head."""
        self._complete = True

    def _remember(self, name: bytes) -> str | None:
        key = None if UNUSUAL.fullmatch(name) else _key(name)
        if len(self._keys) < _MAX_NAMES:
            self._keys[name] = key
        return key

    def read(self, connection: Connection) -> Request | None:
        """Take a plain request off the connection's buffer; ``None`` to go the long way."""
        match = self._match(connection.buffer)
        if match is None:
            return None
        environ = self._environ = connection.base_environ().copy()
        if not self._parse(match.group()):
            return None
        method, target, minor = match.groups()
        request = Request(connection, method.decode(), target.decode(), 1 if minor == b"1" else 0)
        request.environ = environ
        if method == b"CONNECT" or not self._complete_environ(connection, request):
            return None
        connection.buffer = connection.buffer[match.end() :]
        length = environ.get("CONTENT_LENGTH")
        request.body = body_of(connection, int(length) if length else 0)
        environ["wsgi.input"] = request.body
        return request

    def _match(self, buffer: bytes) -> re.Match[bytes] | None:
        """The head that ``buffer`` starts with, if the grammar and gunicorn's limits allow it."""
        match = _HEAD.match(buffer)
        if match is None or match.end() > self._max_size:
            return None
        if match.group().count(b"\r\n") - 2 > self._max_fields:
            return None
        return match

    def _parse(self, head: bytes) -> bool:
        self._plain, self._complete = True, False
        try:
            self._parser.feed_data(head)
        except HttpParserUpgrade:
            self._complete = False
        except HttpParserError:
            self._plain = False
        # llhttp now waits for a body that it will not get, or for the connection to end.
        if not self._complete or not self._parser.should_keep_alive():
            self._parser = HttpRequestParser(self)
        return self._plain

    def _complete_environ(self, connection: Connection, request: Request) -> bool:
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
        environ["PATH_INFO"] = util.unquote_to_wsgi_str(path) if "%" in path else path
        if connection.trusted and not self._apply_scheme(environ):
            return False
        if isinstance(connection.listener, str):
            _name_server_after_host(environ)
        return True

    def _apply_scheme(self, environ: dict[str, Any]) -> bool:
        said = [environ[key] == secure for key, secure in self._scheme_keys if key in environ]
        if said:
            environ["wsgi.url_scheme"] = "https" if said[0] else "http"
        return len(set(said)) < 2


def read_as_gunicorn(connection: Connection) -> GunicornRequest:
    """Take any request off the connection by gunicorn's own parser.

    Raises what that parser raises, and ``ClientTooSlow``.
    """
    request = GunicornRequest(
        connection.worker.cfg, Incoming(connection), connection.peer, connection.requests + 1
    )
    if request.proxy_protocol_info:
        connection.proxied(request)
    else:
        request.proxy_protocol_info = connection.proxy_protocol_info
    return request


def environ_as_gunicorn(
    connection: Connection, request: GunicornRequest
) -> tuple[Response, dict[str, Any]]:
    """The response and the environ that gunicorn's own code makes of ``request``."""
    base = connection.base_environ()
    response, environ = wsgi.create(
        request,
        connection.transport,
        connection.peer,
        connection.listener,
        connection.worker.cfg,
        response_class=Response,
    )
    environ = {**base, **environ, "gunicorn.socket": base["gunicorn.socket"]}
    return response, environ


def complete(buffer: bytes, since: int) -> bool:
    """Whether ``buffer`` holds a whole head, or one that will never be one.

    ``since`` says how much of it was looked at before.
    """
    if buffer.find(b"\r\n\r\n", max(0, since - 3)) >= 0:
        return True
    return buffer.count(b"\n") != buffer.count(b"\r\n")


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

"""From the bytes of a request's head to an ASGI scope, as strictly as to a WSGI environ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from colorless.worker.asgi.body import Body
from colorless.worker.request import (
    UNUSUAL,
    GunicornRequest,
    HeadReader,
    Request,
    read_as_gunicorn,
)

if TYPE_CHECKING:
    from colorless.worker.asgi.connection import ASGIConnection

# Guessed. Clients send a few dozen names in a few spellings; one that invents names must not
# fill the memory.
_MAX_NAMES = 1024
# What a field is to this server: nothing; a decision of gunicorn's; something to look at, which
# may be sent twice or (RFC 9110, section 5.3) may not.
_ORDINARY, _UNUSUAL, _LISTED, _ONCE = range(4)
_READ_ONCE = frozenset({b"host", b"content-type", b"content-length"})
_READ = frozenset({b"connection", b"upgrade"})

Headers = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """A request without its body, read either way."""

    method: str
    target: str
    minor: int
    """Of the version 1.x."""
    last: bool
    """Whether the client said that this is the connection's last request."""
    upgrade: bool
    """Whether it asks for a WebSocket."""
    scope: dict[str, Any]
    body: Body


class ScopeReader(HeadReader):
    """Reads heads into scopes, one at a time; one reader serves all connections of a worker."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.root_path: str = cfg.root_path
        self._schemes = {
            name.lower().encode("latin-1"): secure.encode("latin-1")
            for name, secure in cfg.secure_scheme_headers.items()
        }
        self._fields: dict[bytes, tuple[bytes, int]] = {}
        self._headers: Headers = []
        self._found: dict[bytes, bytes] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp read a field."""
        field = self._fields.get(name)
        if field is None:
            field = self._learn(name)
        lower, kind = field
        value = value.strip(b" \t")
        self._headers.append((lower, value))
        if kind == _ORDINARY:
            return
        found = self._found
        if kind == _UNUSUAL or (kind == _ONCE and lower in found):
            self._plain = False
        elif lower in found:
            found[lower] += b"," + value
        else:
            found[lower] = value

    def _learn(self, name: bytes) -> tuple[bytes, int]:
        lower = name.lower()
        if UNUSUAL.fullmatch(name):
            kind = _UNUSUAL
        elif lower in _READ_ONCE or lower in self._schemes:
            kind = _ONCE
        else:
            kind = _LISTED if lower in _READ else _ORDINARY
        if len(self._fields) < _MAX_NAMES:
            self._fields[name] = lower, kind
        return lower, kind

    def head(self, connection: ASGIConnection) -> Head | None:
        """Take a plain head off the connection's buffer; ``None`` to go the long way."""
        buffer = connection.buffer
        match = self._match(buffer)
        if match is None:
            return None
        headers: Headers = []
        self._headers, self._found = headers, {}
        if not self._parse(match.group()) or match[1] == b"CONNECT":
            return None
        found = self._found
        length = found.get(b"content-length", b"0")
        scheme = self._scheme(found) if connection.trusted and self._schemes else ""
        if not length.isdigit() or scheme is None:
            return None
        method, target, minor = match[1].decode(), match[2].decode(), match[3] == b"1"
        connection.buffer = buffer[match.end() :]
        scope = self._scope(connection, method, target.partition("#")[0], minor, headers)
        if scheme:
            scope["scheme"] = scheme
        words = _words(found.get(b"connection", b""))
        last = b"close" in words or (not minor and b"keep-alive" not in words)
        upgrade = method == "GET" and _wants_websocket(found.get(b"upgrade"), words)
        body = Body(connection, int(length))
        return Head(method, target, int(minor), last, upgrade, scope, body)

    def _scheme(self, found: dict[bytes, bytes]) -> str | None:
        """What a proxy says; nothing, or ``None`` where it contradicts itself."""
        said = {found[name] == secure for name, secure in self._schemes.items() if name in found}
        if len(said) > 1:
            return None
        return "" if not said else "https" if said.pop() else "http"

    def _scope(
        self, connection: ASGIConnection, method: str, target: str, minor: bool, headers: Headers
    ) -> dict[str, Any]:
        raw_path, _, query = target.partition("?")
        scope = connection.base_scope().copy()
        if not minor:
            scope["http_version"] = "1.0"
        scope["method"] = method
        scope["raw_path"] = raw_path.encode("latin-1")
        path = unquote(raw_path) if "%" in raw_path else raw_path
        root = self.root_path
        # The root path is a part of the path (ASGI), and a proxy may have taken it off.
        scope["path"] = path if not root or path.startswith(root) else root + path
        scope["query_string"] = query.encode("latin-1")
        scope["headers"] = headers
        scope["state"] = connection.worker.state.copy()
        return scope

    def head_as_gunicorn(self, connection: ASGIConnection) -> tuple[Head, GunicornRequest]:
        """Take any head off the connection by gunicorn's own parser. Raises what that raises."""
        request = read_as_gunicorn(connection)
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
        target = request.path + ("?" + request.query if request.query else "")
        minor = request.version > (1, 0)
        scope = self._scope(connection, request.method, target, minor, headers)
        scope["http_version"] = ".".join(map(str, request.version))
        scope["scheme"] = request.scheme
        found = dict(headers)
        words = _words(b",".join(value for name, value in headers if name == b"connection"))
        body = Body.of_gunicorn(connection, request)
        last = request.should_close()
        upgrade = request.method == "GET" and _wants_websocket(found.get(b"upgrade"), words)
        head = Head(request.method, request.uri, request.version[1], last, upgrade, scope, body)
        return head, request


def request_of(connection: ASGIConnection, head: Head) -> Request:
    """gunicorn's request, for hooks and the access log, filled from a head."""
    request = Request(connection, head.method, head.target, head.minor)
    environ = connection.base_environ().copy()
    for name, value in head.scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if name not in (b"content-type", b"content-length"):
            key = "HTTP_" + key
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ["wsgi.url_scheme"] = head.scope["scheme"]
    environ["REQUEST_METHOD"] = head.method
    environ["RAW_URI"] = head.target
    environ["PATH_INFO"] = head.scope["path"]
    environ["QUERY_STRING"] = head.scope["query_string"].decode("latin-1")
    environ["SERVER_PROTOCOL"] = f"HTTP/1.{head.minor}"
    request.environ = environ
    request.body = head.body
    return request


def _words(value: bytes) -> list[bytes]:
    return [word.strip(b" \t") for word in value.lower().split(b",")] if value else []


def _wants_websocket(upgrade: bytes | None, words: list[bytes]) -> bool:
    return upgrade is not None and upgrade.lower() == b"websocket" and b"upgrade" in words

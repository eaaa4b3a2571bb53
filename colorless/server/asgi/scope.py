"""From the bytes of a request's head to an ASGI scope, as strictly as to a WSGI environ."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote

from colorless.server.asgi.body import Body
from colorless.server.engine.connection import Connection
from colorless.server.engine.head import UNUSUAL, HeadReader
from colorless.server.engine.keepalive import options
from colorless.server.engine.settings import HeadLimits
from colorless.server.request import GunicornRequest, Request, Shared, read_as_gunicorn

# What a server of this version tells; 2.4: send() raises OSError once the client has gone.
_VERSIONS = {"version": "3.0", "spec_version": "2.4"}
# Guessed. Clients send a few dozen names in a few spellings; one that invents names must not
# fill the memory.
_MAX_NAMES = 1024
# What a field is to this server: nothing; a decision of gunicorn's; something to look at, which
# may be sent twice or (RFC 9110, section 5.3) may not; what a proxy says of its client.
_ORDINARY, _UNUSUAL, _LISTED, _ONCE, _SCHEME = range(5)
_READ_ONCE = frozenset({b"host", b"content-type", b"content-length"})
_READ = frozenset({b"connection", b"upgrade"})

Headers = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """A request without its body, read either way."""

    method: str
    target: bytes
    minor: int
    """Of the version 1.x."""
    connection_field: str | None
    """Its ``Connection`` fields, joined by commas."""
    closes: bool
    """Whether nothing behind this request can be trusted."""
    upgrade: bool
    """Whether it asks for a WebSocket."""
    scope: dict[str, Any]
    body: Body


class ScopeShared(Shared):
    """What all requests of one connection share, with a scope's part."""

    __slots__ = ("scope",)

    def __init__(self, connection: Connection, cfg: Any) -> None:
        super().__init__(connection, cfg)
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": _VERSIONS,
            "http_version": "1.1",
            "server": _address(connection.listener),
            "client": _address(connection.peer),
            "scheme": "https" if cfg.is_ssl else "http",
            "root_path": cfg.root_path,
            "extensions": {},
        }

    def learn(self, request: GunicornRequest) -> None:
        """As the base class says."""
        super().learn(request)
        told = request.proxy_protocol_info or {}
        if told.get("client_addr") is not None:
            self.scope["client"] = (told["client_addr"], told["client_port"])


class ScopeReader(HeadReader):
    """Reads heads into scopes, one at a time; one reader serves all connections of a worker."""

    def __init__(self, cfg: Any, limits: HeadLimits, state: dict[str, Any]) -> None:
        super().__init__(limits)
        self._cfg = cfg
        self._state = state
        self._root_path: str = cfg.root_path
        self._schemes = {
            name.lower().encode("latin-1"): secure.encode("latin-1")
            for name, secure in cfg.secure_scheme_headers.items()
        }
        self._fields: dict[bytes, tuple[bytes, int]] = {}
        self._headers: Headers = []
        self._found: dict[bytes, bytes] = {}
        self._proxied = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """As the base class says."""
        field = self._fields.get(name)
        if field is None:
            field = self._learn(name)
        lower, kind = field
        value = value.strip(b" \t")
        self._headers.append((lower, value))
        if kind == _ORDINARY:
            return
        found = self._found
        if kind == _SCHEME:
            self._proxied = True
        if lower not in found:
            found[lower] = value
        elif kind == _LISTED:
            found[lower] += b"," + value
        else:
            self.refuse()
        if kind == _UNUSUAL:
            self.refuse()

    def _learn(self, name: bytes) -> tuple[bytes, int]:
        lower = name.lower()
        if UNUSUAL.fullmatch(name):
            kind = _UNUSUAL
        elif lower in self._schemes:
            kind = _SCHEME
        elif lower in _READ_ONCE:
            kind = _ONCE
        else:
            kind = _LISTED if lower in _READ else _ORDINARY
        if len(self._fields) < _MAX_NAMES:
            self._fields[name] = lower, kind
        return lower, kind

    def head(self, connection: Connection) -> Head | None:
        """Take a plain head off the connection's buffer; ``None`` to go the long way."""
        buffer = connection.buffer
        match = self.match(buffer)
        if match is None:
            return None
        headers: Headers = []
        found: dict[bytes, bytes] = {}
        self._headers, self._found = headers, found
        self._proxied = False
        if not self.split(match.group()):
            return None
        method, target, minor = match.groups()
        length = found.get(b"content-length", b"0")
        shared = self._shared(connection)
        scheme = self._scheme(found) if self._proxied and shared.trusted else ""
        if method == b"CONNECT" or not length.isdigit() or scheme is None:
            return None
        connection.buffer = buffer[match.end() :]
        raw_path, _, query = target.partition(b"#")[0].partition(b"?")
        name = method.decode()
        scope = self._scope(shared, name, raw_path, query, headers)
        if scheme:
            scope["scheme"] = scheme
        if minor == b"0":
            scope["http_version"] = "1.0"
        field = found.get(b"connection")
        said = None if field is None else field.decode("latin-1")
        wanted = found.get(b"upgrade") if minor == b"1" else None
        upgrade = said is not None and _wants_websocket(name, said, wanted)
        body = Body(connection, int(length))
        return Head(name, target, int(minor), said, False, upgrade, scope, body)

    def _shared(self, connection: Connection) -> ScopeShared:
        shared: ScopeShared | None = connection.memo
        if shared is None:
            shared = connection.memo = ScopeShared(connection, self._cfg)
        return shared

    def _scheme(self, found: dict[bytes, bytes]) -> str | None:
        """What a proxy says; nothing, or ``None`` where it contradicts itself."""
        said = {found[name] == secure for name, secure in self._schemes.items() if name in found}
        if len(said) > 1:
            return None
        return "" if not said else "https" if said.pop() else "http"

    def _scope(
        self, shared: ScopeShared, method: str, raw_path: bytes, query: bytes, headers: Headers
    ) -> dict[str, Any]:
        scope = shared.scope.copy()
        path = raw_path.decode("latin-1")
        if "%" in path:
            path = unquote(path)
        root = self._root_path
        # The root path is a part of the path (ASGI), and a proxy may have taken it off.
        scope["path"] = path if not root or path.startswith(root) else root + path
        scope["method"] = method
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        scope["headers"] = headers
        scope["state"] = self._state.copy()
        return scope

    def head_as_gunicorn(self, connection: Connection) -> tuple[Head, GunicornRequest]:
        """Take any head off the connection by gunicorn's own parser. Raises what that raises."""
        request = read_as_gunicorn(connection, self._cfg)
        shared = self._shared(connection)
        shared.learn(request)
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
        path, query = request.path.encode("latin-1"), request.query.encode("latin-1")
        scope = self._scope(shared, request.method, path, query, headers)
        scope["http_version"] = ".".join(map(str, request.version))
        scope["scheme"] = request.scheme
        said = request.connection_field
        # In HTTP/1.0 the field is to be ignored (RFC 9110, section 7.8).
        wanted = dict(headers).get(b"upgrade") if request.version[1] else None
        head = Head(
            request.method,
            request.uri.encode("latin-1"),
            request.version[1],
            said,
            bool(request.must_close),
            said is not None and _wants_websocket(request.method, said, wanted),
            scope,
            Body.of_gunicorn(connection, request),
        )
        return head, request

    def request_of(self, connection: Connection, head: Head) -> Request:
        """gunicorn's request, for hooks and the access log, filled from a head."""
        target = head.target.decode("latin-1")
        request = Request(self._cfg, connection, head.method, target, head.minor)
        environ = self._shared(connection).environ.copy()
        for name, value in head.scope["headers"]:
            key = name.decode("latin-1").upper().replace("-", "_")
            if name not in (b"content-type", b"content-length"):
                key = "HTTP_" + key
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
        environ["wsgi.url_scheme"] = head.scope["scheme"]
        environ["REQUEST_METHOD"] = head.method
        environ["RAW_URI"] = target
        environ["PATH_INFO"] = head.scope["path"]
        environ["QUERY_STRING"] = head.scope["query_string"].decode("latin-1")
        environ["SERVER_PROTOCOL"] = f"HTTP/1.{head.minor}"
        request.environ = environ
        request.body = head.body
        return request


def _wants_websocket(method: str, connection: str, upgrade: bytes | None) -> bool:
    named = upgrade is not None and upgrade.lower() == b"websocket"
    return named and method == "GET" and "upgrade" in options(connection)


def _address(told: Any) -> tuple[str, int | None] | None:
    """As ASGI has it: a host and a port; a Unix socket has a path, and its client no name."""
    if isinstance(told, tuple):
        return told[0], told[1]
    return (told, None) if isinstance(told, str) and told else None

"""gunicorn's view of a request: for its hooks and its access log, and for what the short way of
:mod:`colorless.server.engine.head` leaves to gunicorn's own parser.
"""

from __future__ import annotations

from typing import Any

from colorless.compat import gunicorn
from colorless.server.engine.connection import Connection
from colorless.server.engine.keepalive import keeps_alive
from colorless.server.engine.limits import ClientDisconnected, Pace

# Bytes, as many as gunicorn reads at once. Its parser of chunks counts what it has of a line that
# has not ended: in one large piece a line could be of any length.
_PIECE = 8192


class Shared:
    """What all requests of one connection share; a speaker keeps it in ``connection.memo``."""

    __slots__ = ("environ", "proxied", "trusted")

    def __init__(self, connection: Connection, cfg: Any) -> None:
        # Whether a proxy is at the other end that may say which scheme its client used.
        self.trusted = gunicorn.is_trusted(connection.peer, cfg)
        # What the PROXY protocol has told, as gunicorn has it.
        self.proxied: dict[str, Any] | None = None
        self.environ = _addresses(connection.peer, connection.listener)

    def learn(self, request: GunicornRequest) -> None:
        """Keep what the first request of the connection has told of it, and tell the later ones."""
        if request.proxy_protocol_info:
            self.proxied = request.proxy_protocol_info
            self.environ.update(gunicorn.proxy_environ(request))
        else:
            request.proxy_protocol_info = self.proxied


class Request(gunicorn.Request):
    """A request that took the short way, as gunicorn's hooks and its access log see it."""

    def __init__(self, cfg: Any, connection: Connection, method: str, uri: str, minor: int) -> None:
        self.cfg = cfg
        self.peer_addr = self.remote_addr = connection.peer
        self.method = method
        self.uri = uri
        self.version = (1, minor)
        self.req_number = connection.requests
        self.must_close = False
        self.trailers: list[tuple[str, str]] = []
        self.proxy_protocol_info = None
        self.environ: dict[str, Any] = {}
        self.body: Any = None
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

    @property
    def connection_field(self) -> str | None:
        """The ``Connection`` field, if there is one."""
        return self.environ.get("HTTP_CONNECTION")

    def should_close(self) -> bool:
        """Whether the client said that this is the connection's last request."""
        return not keeps_alive(self.method, self.version, self.connection_field)


class GunicornRequest(gunicorn.Request):
    """A request that was read by gunicorn's parser in Python, the strictest that it has."""

    unreader: Incoming

    @property
    def connection_field(self) -> str | None:
        """The ``Connection`` fields, joined, if there are any."""
        said = [value for name, value in self.headers if name == "CONNECTION"]
        return ",".join(said) if said else None

    def should_close(self) -> bool:
        """Whether the client said that this is the connection's last request, or gunicorn that
        nothing behind it can be trusted."""
        kept = keeps_alive(self.method, self.version, self.connection_field)
        return bool(self.must_close) or not kept


class Incoming(gunicorn.Unreader):
    """gunicorn's source of bytes, drawing on a connection; one for each request."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._pace = Pace(connection.server.settings.limits)
        self._held = b""  # from the connection, to be given to the parser piece by piece
        self._given = 0  # bytes of it
        self.body_begins = False
        """Whether the head has been read. How large that is, is known already."""

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes from the client, at most ``size_hint``; what may be lines in small pieces.

        Raises ``ClientTooSlow``, and ``ClientDisconnected`` at its end: gunicorn would pass on a
        body that was cut short as if it were whole.
        """
        if self._given == len(self._held):
            self._held = self._connection.receive(self._pace)
            self._given = 0
            if not self._held:
                raise ClientDisconnected("in the middle of its request")
        size = size_hint or (_PIECE if self.body_begins else len(self._held))
        piece = self._held[self._given : self._given + size]
        self._given += len(piece)
        if size_hint is not None:
            self._put_back()
        return piece

    def give_back(self) -> None:
        """Return what was read beyond what was needed to the connection: it comes next there."""
        self._put_back()
        rest = self.take_buffered()
        if rest:
            self._connection.buffer = rest + self._connection.buffer

    def _put_back(self) -> None:
        if self._given < len(self._held):
            self._connection.buffer = self._held[self._given :] + self._connection.buffer
        self._held, self._given = b"", 0


def read_as_gunicorn(connection: Connection, cfg: Any) -> GunicornRequest:
    """Take any request off the connection by gunicorn's own parser.

    Raises what that parser raises, and ``ClientTooSlow``.
    """
    peer, number = connection.peer, connection.requests
    if connection.too_large:
        # Its end may never come. Ended here, gunicorn's parser says what it would have said then.
        data = connection.buffer.rstrip(b"\r\n") + b"\r\n\r\n"
        GunicornRequest(cfg, gunicorn.IterUnreader([data]), peer, number)
        raise gunicorn.LimitRequestHeaders("limit request headers fields")
    incoming = Incoming(connection)
    request = GunicornRequest(cfg, incoming, peer, number)
    # The body is drawn from the connection when it is asked for.
    incoming.give_back()
    incoming.body_begins = True
    return request


def _addresses(peer: Any, listener: Any) -> dict[str, Any]:
    """Who is at either end, in the words of an environ."""
    environ: dict[str, Any] = {}
    if isinstance(peer, tuple):
        environ["REMOTE_ADDR"] = peer[0]
        environ["REMOTE_PORT"] = str(peer[1])
    else:
        environ["REMOTE_ADDR"] = peer.decode() if isinstance(peer, bytes) else peer
    if not isinstance(listener, str):
        environ["SERVER_NAME"] = listener[0]
        environ["SERVER_PORT"] = str(listener[1])
    return environ

"""One connection to a server: a socket, and one exchange on it at a time."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import gevent

from colorless.compat.gevent import raw_socket
from colorless.integrations.http.errors import NoAnswer
from colorless.integrations.http.reader import Answer, ResponseReader
from colorless.lowlevel import Watchers
from colorless.sockets import WOULD_BLOCK

_READ_SIZE = 65536


def connect(
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    *,
    server_name: str,
    timeout: float | None = None,
) -> HTTPConnection:
    """A connection to ``host``, which with ``tls`` has to prove that it is ``server_name``.

    ``timeout`` is in seconds, for each address of the host and for the handshake. Raises
    ``OSError``.
    """
    sock = socket.create_connection((host, port), timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=server_name)
        return HTTPConnection(sock)
    except BaseException:
        sock.close()
        raise


class HTTPConnection:
    """A connected green socket, plain or TLS, that speaks HTTP/1.1. It owns the socket.

    Its watchers are kept as long as it lives, so it belongs to the thread that made it.
    """

    __slots__ = ("_reader", "_recv", "_send_some", "_sock", "_watchers", "heard", "idle_since")

    def __init__(self, sock: Any) -> None:
        sock.settimeout(0.0)
        self._sock = sock
        system = raw_socket(sock)
        self._recv, self._send_some = system.recv, system.send
        self._reader = ResponseReader()
        self._watchers = Watchers(gevent.get_hub(), sock.fileno())
        self.heard = False
        """Whether any of the current answer has come."""
        self.idle_since = 0.0

    def exchange(
        self, method: str, request: bytes, max_bytes: int, *, truncate: bool = False
    ) -> Answer:
        """Send ``request`` and read its answer, with a body of at most ``max_bytes`` bytes.

        A longer body is an error; with ``truncate`` its beginning is returned, without waiting for
        the rest. Waits as long as it takes. Raises :class:`NoAnswer`, :class:`BadAnswer` and
        ``OSError``.
        """
        self.heard = False
        reader = self._reader
        reader.begin(method, max_bytes, truncate=truncate)
        self._send(request)
        if not isinstance(self._sock, ssl.SSLSocket):  # which may have read the answer already
            self._watchers.hub.wait(self._watchers.read)
        while not reader.done:
            data = self._receive()
            if data:
                self.heard = True
                reader.feed(data)
            else:
                reader.end()
        return reader.answer()

    @property
    def reusable(self) -> bool:
        """Whether both sides have said all and the connection stays open."""
        return self._reader.done and self._reader.reusable

    def quiet(self) -> bool:
        """Whether an idle connection is still good: open, and nothing came that nobody asked for
        (a server that gives up an idle client may say so before it closes)."""
        try:
            self._recv(1)
        except WOULD_BLOCK:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """End it. Closing twice is nothing."""
        self._watchers.close()
        self._sock.close()

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._send_some(rest) :]
            except WOULD_BLOCK as error:
                self._wait(error, self._watchers.write)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise NoAnswer(f"the connection broke: {error}") from error

    def _receive(self) -> bytes:
        while True:
            try:
                data: bytes = self._recv(_READ_SIZE)
                return data
            except WOULD_BLOCK as error:
                self._wait(error, self._watchers.read)
            except ConnectionResetError as error:
                raise NoAnswer(f"the connection broke: {error}") from error

    def _wait(self, error: OSError, watcher: Any) -> None:
        # TLS may have to read for a write, and the other way round.
        if isinstance(error, ssl.SSLWantReadError):
            watcher = self._watchers.read
        elif isinstance(error, ssl.SSLWantWriteError):
            watcher = self._watchers.write
        self._watchers.hub.wait(watcher)

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
    """Connect to a server, over TLS if ``tls`` is given.

    :param host: a name or an address.
    :param port: its number.
    :param tls: verifies the server; ``None`` for plain HTTP.
    :param server_name: the name that the server's certificate must have.
    :param timeout: seconds, for each address of the host and for the handshake.
    :raises OSError: no connection could be made, or the certificate is not the server's.
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
    """A connection that speaks HTTP/1.1, for one exchange at a time; :func:`connect` makes it.

    It belongs to the thread that made it, since it keeps watchers of that thread's hub.

    :param sock: a connected green socket, plain or TLS, which is closed with the connection.
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
        """Whether any byte of the current answer has come."""
        self.idle_since = 0.0

    def exchange(
        self, method: str, request: bytes, max_bytes: int, *, truncate: bool = False
    ) -> Answer:
        """Send a request and read its answer, however long that takes.

        :param method: that of the request: an answer to HEAD has no body.
        :param request: all its bytes.
        :param max_bytes: bytes that the body of the answer may have.
        :param truncate: end a longer body there, and read no further; otherwise it is an error.
        :raises NoAnswer: the connection ended before the answer was whole.
        :raises BadAnswer: what came is not HTTP, or too long.
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
        """Whether the answer is whole and the connection may carry another request."""
        return self._reader.done and self._reader.reusable

    def quiet(self) -> bool:
        """Whether an idle connection can be used again: it is open, and nothing has arrived (a
        server that closes an idle connection may send an answer first)."""
        try:
            self._recv(1)
        except WOULD_BLOCK:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """Close it. Closing twice does nothing."""
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

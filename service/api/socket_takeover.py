"""Takes a client's socket from the worker, so that an idle stream costs no green thread."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Response
from gevent.monkey import get_original

# Bytes that the kernel buffers for a client that does not read; by default that grows to megabytes.
# Guessed: enough for 1 MB/s at a round trip of 100 ms.
_SEND_BUFFER = 128 * 1024
# Milliseconds after which a client that acknowledges nothing is disconnected; guessed.
_UNACKNOWLEDGED = 60_000

# A socket of gevent's would have two watchers more for each stream.
_RawSocket = get_original("socket", "socket")

Socket = Any  # a _RawSocket or a gevent SSLSocket; neither blocks


class TakenSocket(NamedTuple):
    """The socket, and in ``rest`` what the client sent behind its request.

    ``is_lent`` says that the worker still owns the socket, and closes it when the view has
    returned: a TLS socket cannot change its owner.
    """

    sock: Socket
    rest: bytes
    is_lent: bool


def take_over(environ: dict[str, Any]) -> TakenSocket:
    """Take the client's socket. Nothing of the response may have been sent.

    Raises ``RuntimeError`` under a server that does not give it.
    """
    connection = environ.get("colorless.connection")
    if connection is not None:
        sock, rest = connection.detach()
    elif "gunicorn.socket" in environ:
        sock, rest = environ["gunicorn.socket"], b""
    else:
        raise RuntimeError(
            "streams take the client's socket over: serve with gunicorn and "
            "worker_class = 'colorless.worker.WSGIWorker' or 'gevent'"
        )
    _limit_buffers(sock)
    if isinstance(sock, ssl.SSLSocket):
        sock.settimeout(0.0)
        return TakenSocket(sock, rest, is_lent=True)
    raw = _RawSocket(fileno=sock.detach())
    raw.setblocking(False)
    return TakenSocket(raw, rest, is_lent=False)


def _limit_buffers(sock: Socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    if sock.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)


class TakenOverResponse(Response):
    """What a view returns when its socket was taken: the worker sends no response."""

    def __init__(self, environ: dict[str, Any], wait: Callable[[], None] | None) -> None:
        super().__init__()
        self._is_colorless = "colorless.connection" in environ
        self._wait = wait

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Return to the worker, which sends nothing; if the socket is lent, at the stream's end."""
        if self._wait is not None:
            self._wait()
        if self._is_colorless:
            return []
        raise StopIteration  # how gunicorn's own workers are told

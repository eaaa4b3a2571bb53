"""Transports of plain sockets: asyncio's own, with a shorter way for what they do all the time.

That is to read what has come and to hand it to the protocol, and to send what fits into the
socket's buffer. Both ask the system directly: asyncio would ask gevent's socket, whose readiness
to wait is of no use where nothing may wait. And they read into memory that is there already: for
asyncio's ``recv(256 KiB)`` the C library may have to ask the system for fresh memory each time,
which costs more than the read. Everything else is left to asyncio.
"""

from __future__ import annotations

import errno
import os
import sys
from asyncio import BufferedProtocol, Future
from typing import Any

from colorless.compat.asyncio import SelectorSocketTransport
from colorless.compat.gevent import raw_socket
from colorless.loop.readers import WatchingLoop

_BYTES_LIKE = frozenset({bytes, bytearray, memoryview})


class SocketTransport(SelectorSocketTransport):
    """A TCP or Unix connection."""

    # set_protocol() runs before __init__ is through.
    _buffered = False

    def __init__(self, loop: Any, sock: Any, *args: Any, **kwargs: Any) -> None:
        system = raw_socket(sock)
        self._recv_into, self._send = system.recv_into, system.send
        super().__init__(loop, sock, *args, **kwargs)

    def set_protocol(self, protocol: Any) -> None:
        """As asyncio's."""
        self._buffered = isinstance(protocol, BufferedProtocol)
        super().set_protocol(protocol)

    def _read_ready(self) -> None:
        if self._buffered:
            self._read_ready__get_buffer()
            return
        if self._conn_lost:
            return
        try:
            incoming = self._loop._pool.incoming
            size = self._recv_into(incoming)
        except (BlockingIOError, InterruptedError):
            return
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal read error on socket transport")
            return
        if not size:
            self._read_ready__on_eof()
            return
        data = bytes(incoming[:size])
        try:
            self._protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.data_received() call failed.")

    def write(self, data: Any) -> None:
        """As asyncio's."""
        if (
            self._buffer
            or self._conn_lost
            or self._eof
            or self._empty_waiter is not None
            or type(data) not in _BYTES_LIKE
        ):
            super().write(data)
            return
        size = data.nbytes if type(data) is memoryview else len(data)
        if not size:
            return
        try:
            sent = self._send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal write error on socket transport")
            return
        if sent < size:
            super().write(memoryview(data).cast("B")[sent:])


class TransportLoop(WatchingLoop):
    """The part of a loop that makes transports."""

    def _make_socket_transport(
        self, sock: Any, protocol: Any, waiter: Future[None] | None = None, **options: Any
    ) -> SocketTransport:
        _check_open(sock)
        if sys.version_info >= (3, 12):
            self._ensure_fd_no_transport(sock)
        return SocketTransport(self, sock, protocol, waiter, **options)

    def _make_ssl_transport(self, rawsock: Any, *args: Any, **options: Any) -> Any:
        _check_open(rawsock)
        transports: Any = super()
        return transports._make_ssl_transport(rawsock, *args, **options)


def _check_open(sock: Any) -> None:
    """Refuse a closed socket. A real one already did, in ``setblocking``; gevent's takes that."""
    if sock.fileno() == -1:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

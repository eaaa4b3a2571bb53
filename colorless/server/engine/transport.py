"""Bytes in and out of a client's socket, never waiting in the hub and never for ever.

The socket is a gevent socket (plain or TLS) that never blocks (its timeout is zero): what cannot
be done now says so, and :class:`Transport` decides how long to wait for it. Its methods are named
as a socket's, since gunicorn's code uses it as one.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from typing import Any, BinaryIO

import gevent
from gevent import socket

from colorless.compat.gevent import raw_socket
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow, Limits, Pace
from colorless.sockets import WOULD_BLOCK, WRITE

READ_SIZE = 65536
# Guessed: what may be written before others get a turn; 50 µs of memory copies.
SLICE = 256 * 1024


def end_writing(sock: Any) -> None:
    """Tell the other side that nothing more comes, over TLS with TLS's own farewell: without it a
    client may take the end for an attack. ``sock`` never blocks; what it still gets is to be
    dropped. Raises ``OSError``.
    """
    if isinstance(sock, ssl.SSLSocket):
        # The farewell is sent before anything is raised: that the other side's has not come yet.
        with suppress(OSError, ValueError):
            sock.unwrap()
    sock.shutdown(socket.SHUT_WR)


class Transport:
    """A socket of which this side reads in the hub and writes from one green thread."""

    __slots__ = ("_limits", "_recv", "_send", "sock", "unyielded")

    def __init__(self, sock: Any, limits: Limits) -> None:
        sock.settimeout(0.0)
        self.sock = sock
        system = raw_socket(sock)
        self._recv, self._send = system.recv, system.send
        self._limits = limits
        # Bytes written since others had a turn.
        self.unyielded = 0

    def receive(self) -> bytes | None:
        """What has arrived; ``None`` for nothing yet, ``b""`` for the end. Raises ``OSError``."""
        try:
            data: bytes = self._recv(READ_SIZE)
        except WOULD_BLOCK:
            return None
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``. Raises :class:`ClientDisconnected` or :class:`ClientTooSlow`.

        Never a plain ``OSError``: that is what an application's own connections raise.
        """
        size = len(data)
        sent = self._send_now(data)
        if sent < size:
            self._send_rest(memoryview(data)[sent:])
        self._give_way(size)

    # The name that gunicorn's code calls a socket by when it sends "100 Continue".
    send = sendall

    def gettimeout(self) -> float:
        """As a socket's: gunicorn asks before it sends an error page."""
        return 0.0

    def sendfile(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send ``count`` bytes of ``file`` from ``offset``, by the kernel. Raises as `sendall`."""
        pace = Pace(self._limits)
        while count > 0:
            try:
                sent = os.sendfile(self.sock.fileno(), file.fileno(), offset, min(count, SLICE))
            except BlockingIOError:
                self._wait_writable(pace)
                continue
            except ConnectionError as error:
                raise ClientDisconnected(f"while a file was sent: {error}") from error
            if sent == 0:
                raise OSError(f"{file!r} ended {count} bytes early")
            offset, count = offset + sent, count - sent
            pace.moved(sent)
            self._give_way(sent)

    def _send_now(self, data: bytes | memoryview) -> int:
        try:
            sent: int = self._send(data)
        except WOULD_BLOCK:
            return 0
        except OSError as error:
            raise ClientDisconnected(f"while the response was sent: {error}") from error
        return sent

    def _send_rest(self, rest: memoryview) -> None:
        pace = Pace(self._limits)
        while rest:
            self._wait_writable(pace)
            sent = self._send_now(rest)
            pace.moved(sent)
            rest = rest[sent:]

    def _wait_writable(self, pace: Pace) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self.sock.fileno(), WRITE)
        seconds = pace.patience()
        try:
            with gevent.Timeout(seconds, ClientTooSlow(f"took nothing for {seconds:.0f} s")):
                hub.wait(watcher)
        finally:
            watcher.close()
            pace.waited()

    def _give_way(self, count: int) -> None:
        """A client that reads as fast as we write must not keep the hub for itself."""
        self.unyielded += count
        if self.unyielded >= SLICE:
            self.unyielded = 0
            gevent.sleep(0)

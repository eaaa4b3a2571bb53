"""A site on loopback that keeps connections: it answers what it is told, request after request."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer

Say = Callable[[Any, str, bytes], bool]


class Keeper:
    """``say(socket, target, body)`` answers one request; false closes the connection."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.url = ""
        self.connections = 0
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.open: list[Any] = []

    def serve(self, sock: Any, peer: Any) -> None:
        self.connections += 1
        self.open.append(sock)
        reader = sock.makefile("rb")
        try:
            while (head := self._head(reader)) is not None:
                method, target, _ = head.split("\r\n")[0].split()
                self.asked.append(f"{method} {target}")
                self.heads.append(head)
                length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
                if not self.say(sock, target, reader.read(int(length or 0))):
                    return
        except OSError:
            pass
        finally:
            self.open.remove(sock)

    def _head(self, reader: Any) -> str | None:
        lines: list[str] = []
        while (line := reader.readline().decode("latin-1")) != "\r\n":
            if not line:
                return None
            lines.append(line)
        return "".join(lines)


def whole(content: bytes = b"hello", *lines: str, status: str = "200 OK") -> bytes:
    """An answer with a length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *lines, "", ""]
    return "\r\n".join(head).encode() + content


def say(answer: bytes) -> Say:
    """Answer everything with this, and go on."""

    def it(sock: Any, target: str, content: bytes) -> bool:
        sock.sendall(answer)
        return True

    return it


@contextmanager
def keeper(what: Say, tls: ssl.SSLContext | None = None) -> Iterator[Keeper]:
    """A site that listens until the block ends."""
    it = Keeper(what)
    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    server = StreamServer(("127.0.0.1", 0), it.serve, spawn=Pool(), **options)
    server.start()
    it.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield it
    finally:
        server.stop(timeout=0)
        gevent.sleep(0)

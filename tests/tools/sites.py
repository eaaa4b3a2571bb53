"""Web sites on loopback that answer byte for byte what a test wants, on a real socket."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import parse_headers
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer


@dataclass
class Asked:
    """A request as a site got it."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


OutsideResponse = bytes | Callable[[Any, Asked], None]


@dataclass
class Site:
    """Answers by path. An answer is the bytes of it, or a function that is given the socket."""

    answers: dict[str, OutsideResponse] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    server_names: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        """What to set OUTSIDE_ALLOW to."""
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def serve(self, sock: Any, peer: Any) -> None:
        """One connection, for one request."""
        self.connections += 1
        with sock.makefile("rb") as reader:
            first = reader.readline().decode("latin-1").split()
            if len(first) != 3:
                return
            headers = {k.lower(): v for k, v in parse_headers(reader).items()}
            content = reader.read(int(headers.get("content-length", 0)))
        asked = Asked(first[0], first[1], headers, content)
        self.asked.append(asked)
        answer = self.answers.get(asked.path, page(b"nothing here", status="404 Not Found"))
        try:
            if callable(answer):
                answer(sock, asked)
            else:
                sock.sendall(answer)
        except OSError:
            pass  # the client had enough


def page(content: bytes = b"<title>A page</title>", *lines: str, status: str = "200 OK") -> bytes:
    """A whole answer; ``lines`` are more lines of its head."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *lines]
    if not any(line.lower().startswith("content-type:") for line in lines):
        head.append("Content-Type: text/html; charset=utf-8")
    return "\r\n".join([*head, "", ""]).encode() + content


def redirect(to: str) -> bytes:
    """An answer that sends the client elsewhere."""
    return page(b"", f"Location: {to}", status="302 Found")


@contextmanager
def site(
    answers: dict[str, OutsideResponse] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    """A site that listens until the block ends."""
    it = Site(answers or {})
    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    if tls is not None:
        tls.sni_callback = lambda sock, name, context: it.server_names.append(name)
    server = StreamServer((host, port), it.serve, spawn=Pool(), **options)
    server.start()
    it.port = server.server_port
    try:
        yield it
    finally:
        server.stop(timeout=0)
        gevent.sleep(0)

"""gunicorn's response, written in as few calls as the application's own pace allows.

What may be sent, how it is framed and which bytes are dropped is inherited. Here is what costs
time: names are checked once and remembered, the lines that are the same for every response are
made once a second, and the head leaves together with the first bytes of the body.
"""

from __future__ import annotations

import os
import time
from typing import Any

from colorless.compat import gunicorn
from colorless.compat.gunicorn import InvalidResponseHeader, InvalidResponseHeaderName
from colorless.server.engine.connection import Connection
from colorless.server.engine.keepalive import keeps_alive
from colorless.server.wsgi.body import ends

# Guessed. Applications send a few dozen names; one that invents names must not fill the memory.
_MAX_NAMES = 1024
_ORDINARY, _LENGTH, _DECIDE = 1, 2, 3
_names: dict[str, int] = {}
_codes: dict[str, int] = {}

_value_is_valid = gunicorn.FIELD_VALUE.fullmatch
_second = 0
_stamps: dict[str, str] = {}


class Response(gunicorn.Response):
    """A response to one request; ``sock`` is the connection's transport."""

    def __init__(self, req: Any, sock: Any, cfg: Any) -> None:
        super().__init__(req, sock, cfg)
        self.connection: Connection | None = None
        # Whether the client was told that the connection may have another request.
        self.keeps_alive = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        """PEP 3333's. A status that was seen before needs no second check."""
        code = _codes.get(status) if self.status is None and exc_info is None else None
        if code is None:
            write = super().start_response(status, headers, exc_info)
            if len(_codes) < _MAX_NAMES:
                _codes[status] = self.status_code
            return write
        self.status = status
        self.status_code = code
        self.process_headers(headers)
        if code < 200 or code in (204, 304) or self.req.method == "HEAD":
            self.omit_body()
        self.chunked = self.is_chunked()
        return self.write

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Take the application's fields; those that frame the message are gunicorn's to decide."""
        for name, value in headers:
            kind = _names.get(name) if type(name) is str else _DECIDE
            if kind is None:
                kind = _remember(name)
            if kind == _DECIDE:
                super().process_headers([(name, value)])
                continue
            if type(value) is not str:
                raise TypeError(f"{value!r} is not a string")
            if not _value_is_valid(value):
                raise InvalidResponseHeader(repr(name))
            if kind == _LENGTH:
                self.response_length = int(value)
            self.headers.append((name, value.strip(" \t")))

    def is_chunked(self) -> bool:
        """Whether the end of the body has to be marked in it. As gunicorn's, for HTTP only."""
        unmarked = self.response_length is None and not self.omits_body
        return unmarked and self.req.version > (1, 0)

    def _decide_keep_alive(self) -> bool:
        """Asked when the head is made, as late as possible."""
        connection, request = self.connection, self.req
        if connection is None or self.must_close or request.must_close:
            return False
        return keeps_alive(
            request.method,
            request.version,
            request.connection_field,
            wanted=connection.server.wants_more,
            framed=self.response_length is not None or self.chunked or self.omits_body,
            body_ends=ends(connection, request.body),
        )

    def should_close(self) -> bool:
        """Whether the connection ends with this response."""
        return not self.keeps_alive

    def head(self) -> bytes:
        """The status line and the fields. From here on they are sent."""
        self.headers_sent = True
        self.keeps_alive = self._decide_keep_alive()
        connection = "keep-alive" if self.keeps_alive else "close"
        if self.upgrade:
            connection = "upgrade"
        lines = [f"HTTP/1.{self.req.version[1]} {self.status}\r\n", _stamp(connection)]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        lines.append("\r\n")
        return "".join(lines).encode("latin-1")

    def send_headers(self) -> None:
        """Send the head alone."""
        if not self.headers_sent:
            self.sock.sendall(self.head())

    def write(self, data: bytes) -> None:
        """Send a piece of the body, with the head before it if that has not left yet."""
        if self.headers_sent or self.omits_body or not isinstance(data, bytes):
            super().write(data)
            return
        head = self.head()
        if self.response_length is not None:
            data = data[: self.response_length]
        self.sent = len(data)
        if self.chunked and data:
            self.sock.sendall(b"%b%X\r\n%b\r\n" % (head, len(data), data))
        else:
            self.sock.sendall(head + data)

    def sendfile(self, respiter: Any) -> bool:
        """Send the rest of a file by the kernel, if it has a size; whether it was sent.

        gunicorn would send an empty one as an empty chunk, which is the end of a body.
        """
        try:
            descriptor = respiter.filelike.fileno()
            left = os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
        except (AttributeError, OSError, ValueError):
            return False
        return left > 0 and bool(super().sendfile(respiter))

    @property
    def complete(self) -> bool:
        """Whether the client got all that the head promised it."""
        promised = self.response_length
        return promised is None or self.omits_body or self.sent >= promised


def _remember(name: str) -> int:
    if not gunicorn.FIELD_NAME.fullmatch(name):
        raise InvalidResponseHeaderName(repr(name))
    kind = _DECIDE if gunicorn.is_hop_by_hop(name) else _ORDINARY
    if name.lower() == "content-length":
        kind = _LENGTH
    if len(_names) < _MAX_NAMES:
        _names[name] = kind
    return kind


def _stamp(connection: str) -> str:
    """The fields that all responses of one second share."""
    global _second
    now = int(time.time())
    if now != _second:
        _second = now
        date = gunicorn.http_date(now)
        for word in ("close", "keep-alive", "upgrade"):
            _stamps[word] = f"Server: {gunicorn.SERVER}\r\nDate: {date}\r\nConnection: {word}\r\n"
    return _stamps[connection]

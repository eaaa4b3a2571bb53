"""gunicorn's response, written in as few calls as the application's own pace allows.

What may be sent, how it is framed and which bytes are dropped is inherited. Here is what costs
time: names are checked once and remembered, the lines that are the same for every response are
made once a second, and the head leaves together with the first bytes of the body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName
from gunicorn.http.message import TOKEN_RE

from colorless.server.wsgi.body import at_end

if TYPE_CHECKING:
    from colorless.server.engine.connection import Connection

# Guessed. Applications send a few dozen names; one that invents names must not fill the memory.
_MAX_NAMES = 1024
_ORDINARY, _LENGTH, _DECIDE = 1, 2, 3
_names: dict[str, int] = {}
_codes: dict[str, int] = {}

_value_is_valid = wsgi.HEADER_VALUE_RE.fullmatch
_second = 0
_stamps: dict[str, str] = {}


class Response(wsgi.Response):
    """A response to one request. ``sock`` is the connection's ``Transport``."""

    connection: Connection

    # gunicorn's, which has no annotations.
    status: str | None
    status_code: int
    headers: list[tuple[str, str]]
    response_length: int | None
    _omits_body: bool

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
            self._omits_body = True
            if self._response_forbids_content_length(code):
                self.headers = [
                    pair for pair in self.headers if pair[0].lower() != "content-length"
                ]
                self.response_length = None
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
        unmarked = self.response_length is None and not self._omits_body
        return unmarked and self.req.version > (1, 0)

    def is_last(self) -> bool:
        """Whether the worker wants no more on this connection, or cannot tell where it starts.
        Asked when the head is made, as late as possible."""
        worker = self.connection.worker
        if not worker.alive or not worker.cfg_keepalive:
            return True
        return not at_end(self.connection, self.req.body)

    def head(self) -> bytes:
        """The status line and the fields. From here on they are sent."""
        self.headers_sent = True
        if self.is_last():
            self.force_close()
        connection = "close" if self.should_close() else "keep-alive"
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
        if self.headers_sent or self._omits_body or not isinstance(data, bytes):
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

    def send_early_hints(self, headers: list[tuple[str, str]]) -> None:
        """``environ["wsgi.early_hints"]``: send a 103 response with ``headers``."""
        wsgi._make_early_hints_callback(self.req, self.sock, self)(headers)

    @property
    def complete(self) -> bool:
        """Whether the client got all that the head promised it."""
        promised = self.response_length
        return promised is None or self._omits_body or self.sent >= promised


def _remember(name: str) -> int:
    if not TOKEN_RE.fullmatch(name):
        raise InvalidResponseHeaderName(repr(name))
    kind = _DECIDE if util.is_hoppish(name) else _ORDINARY
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
        date = util.http_date(now)
        for word in ("close", "keep-alive", "upgrade"):
            _stamps[word] = f"Server: {wsgi.SERVER}\r\nDate: {date}\r\nConnection: {word}\r\n"
    return _stamps[connection]

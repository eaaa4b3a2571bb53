"""What ``send()`` puts on the wire: an HTTP/1.1 response, its head made as late as possible.

Decides which bytes go out, and sends none itself. The head leaves with the first piece of the
body, and the end of a chunked body with its last.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from colorless.compat import gunicorn
from colorless.compat.gunicorn import InvalidResponseHeader, InvalidResponseHeaderName

# Guessed. Applications send a few dozen names; one that invents names must not fill the memory.
_MAX_NAMES = 1024
_ORDINARY, _LENGTH, _CODING, _CONNECTION, _DATE, _SERVER = 0, 1, 2, 4, 8, 16  # bits
_KINDS = {
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"connection": _CONNECTION,
    b"date": _DATE,
    b"server": _SERVER,
}
_names: dict[bytes, int] = {}
_name_is_valid = re.compile(gunicorn.FIELD_NAME.pattern.encode()).fullmatch
_value_is_valid = re.compile(gunicorn.FIELD_VALUE.pattern.encode("latin-1")).fullmatch
_OK, _NO_CONTENT, _NOT_MODIFIED = 200, 204, 304

_SERVER_LINE = f"Server: {gunicorn.SERVER}\r\n".encode()
_second = 0
_date_line = _stamp = b""
_status_lines: dict[int, bytes] = {}


class Response:
    """One response to a request with ``method`` in HTTP/1.``minor``."""

    __slots__ = (
        "_fields",
        "_given",
        "_minor",
        "chunked",
        "closes",
        "complete",
        "headers",
        "headers_sent",
        "length",
        "method",
        "omits_body",
        "sent",
        "status",
    )

    def __init__(self, method: str, minor: int) -> None:
        self.method = method
        self._minor = minor
        self._given = 0  # the fields of the application that the server has a say in
        self._fields: list[bytes] = []
        self.status = 0  # as long as it has not started
        self.headers: Iterable[tuple[bytes, bytes]] = ()
        self.headers_sent = False
        self.length: int | None = None
        self.chunked = False
        self.omits_body = False
        self.closes = False  # whether the connection has to end with this response
        self.complete = False
        self.sent = 0  # bytes of the body

    def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """``http.response.start``. Raises gunicorn's ``InvalidResponseHeader`` and ``…Name``."""
        if self.status:
            raise RuntimeError("the application started its response a second time")
        fields: list[bytes] = []
        self._fields = fields
        for name, value in headers:
            kind = _names.get(name)
            if kind is None:
                name = _as_bytes(name)
                kind = _learn(name)
            if type(value) is not bytes:
                value = _as_bytes(value)
            if not _value_is_valid(value):
                raise InvalidResponseHeader(repr(name))
            if kind == _ORDINARY or self._takes(kind, value):
                fields.append(b"%b: %b\r\n" % (name, value))
        self.status, self.headers = status, headers
        self._decide_framing(status)

    def _takes(self, kind: int, value: bytes) -> bool:
        """A field that the server has a say in; whether it is sent as it is."""
        self._given |= kind
        if kind == _LENGTH:
            if not value.isdigit():
                raise InvalidResponseHeader("content-length")
            self.length = int(value)
            return False
        if kind == _CODING:
            if value.lower() != b"chunked":
                raise InvalidResponseHeader("transfer-encoding: the server chunks, if anybody")
            self.chunked = True
            return False
        if kind == _CONNECTION and b"close" in value.lower():
            self.closes = True
        return True

    def _decide_framing(self, status: int) -> None:
        bodiless = status < _OK or status == _NO_CONTENT
        self.omits_body = bodiless or status == _NOT_MODIFIED or self.method == "HEAD"
        if bodiless or self.chunked:
            self.length = None
        if self.omits_body:
            self.chunked = False
        elif self.length is None:
            self.chunked = self._minor > 0
            self.closes = self.closes or not self.chunked
        if self.length is not None:
            self._fields.append(b"Content-Length: %d\r\n" % self.length)

    @property
    def streams(self) -> bool:
        """Whether its length is not known, so that its first piece may be long in coming."""
        return self.length is None and not self.omits_body

    def head(self, last: bool) -> bytes:
        """The status line and the fields; ``last`` if the connection ends with this response."""
        self.headers_sent = True
        self.closes = self.closes or last
        given = self._given
        lines = [_status_lines.get(self.status) or _status_line(self.status), _stamped(given)]
        if not given & _CONNECTION:
            if self.closes:
                lines.append(b"Connection: close\r\n")
            elif not self._minor:
                lines.append(b"Connection: keep-alive\r\n")
        if self.chunked:
            lines.append(b"Transfer-Encoding: chunked\r\n")
        lines += self._fields
        lines.append(b"\r\n")
        return b"".join(lines)

    def piece(self, body: bytes, more: bool) -> bytes:
        """``http.response.body``: what goes out for it. Raises ``RuntimeError`` where it is not
        the application's turn, or not as many bytes as it promised."""
        if not self.status:
            raise RuntimeError("the application sent a body before http.response.start")
        if self.complete:
            raise RuntimeError("the application sent a body after its response was complete")
        if self.omits_body:
            self.complete = not more
            return b""
        sent, length = self.sent + len(body), self.length
        if length is not None and (sent > length or (sent < length and not more)):
            which = "more" if sent > length else "less"
            raise RuntimeError(f"the application sent {which} than its Content-Length of {length}")
        self.sent, self.complete = sent, not more
        if not self.chunked:
            return body if type(body) is bytes else bytes(body)
        framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return framed if more else framed + b"0\r\n\r\n"


class Answer:
    """A response as gunicorn's hooks and its access log see it."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.sent = response.sent
        self.headers = [(_as_text(name), _as_text(value)) for name, value in response.headers]


def informational(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """``http.response.informational``: a 1xx response, such as 103 Early Hints."""
    early = Response("HEAD", 1)
    early.start(status, headers)
    return b"".join([_status_line(status), *early._fields, b"\r\n"])


def _learn(name: bytes) -> int:
    if not _name_is_valid(name):
        raise InvalidResponseHeaderName(repr(name))
    kind = _KINDS.get(name.lower(), _ORDINARY)
    if len(_names) < _MAX_NAMES:
        _names[name] = kind
    return kind


def _as_bytes(value: Any) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode("latin-1")


def _status_line(status: int) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    line = f"HTTP/1.1 {status:03} {reason}\r\n".encode()
    if len(_status_lines) < _MAX_NAMES:
        _status_lines[status] = line
    return line


def _stamped(given: int) -> bytes:
    """The fields that all responses of one second share, without those that were given."""
    global _second, _date_line, _stamp
    now = int(time.time())
    if now != _second:
        _second = now
        _date_line = f"Date: {gunicorn.http_date(now)}\r\n".encode()
        _stamp = _SERVER_LINE + _date_line
    if not given & (_DATE | _SERVER):
        return _stamp
    lines = {_SERVER: _SERVER_LINE, _DATE: _date_line}
    return b"".join(line for kind, line in lines.items() if not given & kind)

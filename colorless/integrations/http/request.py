"""The bytes of a request. No argument can add a line to them (header injection)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_METHOD = re.compile(r"[A-Z]+")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"/[!-~]*")
_KEPT = "%/?:@!$&'()*+,;=-._~[]"  # not quoted, since the target may be quoted already


def encode(
    method: str, target: str, host: str, headers: Mapping[str, str], content: bytes
) -> bytes:
    """A whole request for ``target`` (path and query) at ``host``, as its URL names it.

    Raises ``ValueError`` for a method or a header that HTTP does not allow.
    """
    if not _METHOD.fullmatch(method):
        raise ValueError(f"{method!r} is no HTTP method: write it in capitals, as in GET")
    if not _TARGET.fullmatch(target):
        target = _quoted(target)
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {host}"]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"{name!r}: {value!r} is no header: it has to fit in one latin-1 line")
        lines.append(f"{name}: {value}")
    if content or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(content)}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("latin-1") + content


def _quoted(target: str) -> str:
    quoted = quote(target, safe=_KEPT)
    return quoted if quoted.startswith("/") else "/" + quoted

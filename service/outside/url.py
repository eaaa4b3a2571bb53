"""Parses the URLs that may be called. One that parsers could read in two ways is refused."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from service.outside.errors import Refused
from service.outside.ssrf import parse as address

_URL = re.compile(r"(https?)://([^/?#\\]{1,300})([^#]*)(#.*)?", re.DOTALL | re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[.*\]|[^:]*)(?::([0-9]{0,5}))?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
# IDNA 2003 and 2008 map these to different hosts.
_AMBIGUOUS = re.compile("[ßẞς\u200c\u200d]")
_KEPT = "%/?#:@!$&'()*+,;=-._~[]"  # characters that are not quoted: the URL may be quoted already


class Url(NamedTuple):
    """A URL that has passed :func:`parse`."""

    scheme: str
    host: str
    """In the form that names are compared in: ASCII, lower case, no brackets, no dot at the end."""
    port: int
    authority: str
    """Host and port as the ``Host`` of a request names them."""
    target: str
    """Path and query, quoted."""
    fragment: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}{self.fragment}"


def parse(text: str) -> Url:
    """The parts of ``text``. Raises :class:`Refused` if it is no HTTP or HTTPS URL."""
    found = _URL.fullmatch(text)
    if found is None:
        raise Refused("a URL starts with http:// or https:// and a host")
    scheme, authority, target, fragment = found.groups("")
    if "@" in authority:
        raise Refused("a URL with a user name or password in it is not called")
    parts = _AUTHORITY.fullmatch(authority)
    name = _ascii(parts[1]) if parts else ""
    host = name.strip("[]").rstrip(".")
    if not parts or not host or (name.startswith("[") and address(host) is None):
        raise Refused("this is no URL")
    scheme, port = scheme.lower(), int(parts[2] or 0)
    return Url(
        scheme,
        host,
        port or (443 if scheme == "https" else 80),
        f"{name}:{port}" if port else name,
        _quoted(target if target.startswith("/") else "/" + target),
        _quoted(fragment),
    )


def _quoted(text: str) -> str:
    return quote(text, safe=_KEPT, errors="replace")


def _ascii(name: str) -> str:
    """A host's name in ASCII, as the DNS has it; empty if it is not a valid one."""
    if not name.isascii():
        try:
            name = "" if _AMBIGUOUS.search(name) else name.encode("idna").decode()
        except UnicodeError:
            return ""
    name = name.lower()
    return name if _HOST.fullmatch(name) else ""  # IDNA may map to any character

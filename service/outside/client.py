"""An HTTP client guarded against SSRF, in synchronous code: only the calling green thread waits.

A name is resolved once; the addresses are checked, and the connection is made to one of them and
not to the name, so that a second DNS answer cannot differ (DNS rebinding). Host and SNI keep the
name, and the certificate must be for it. There are no cookies, no credentials and no proxies, and
nothing is read from the environment. Each call has a connection of its own: a kept one would be
to an address that was checked some time ago.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urljoin

from colorless.deadlines import DeadlineExceeded, fail_after
from colorless.integrations.http import HTTPConnection, connect, request
from service.outside import decompression
from service.outside.errors import Refused, TimedOut, Unreachable, UnusableResponse
from service.outside.host_limit import HostLimit
from service.outside.ssrf import Address, AddressPolicy, parse
from service.outside.url import Url
from service.outside.url import parse as parse_url

# Seconds for each address of a host, so that one that drops packets leaves time for the next.
# This and the next three are guessed, after the limits of other services.
_CONNECT = 3.0
_ADDRESSES = 3
_REDIRECTS = 5
_PER_HOST = 2
_REDIRECTING = frozenset({301, 302, 303, 307, 308})

Resolve = Callable[[str, int], list[str]]


class OutsideResponse(NamedTuple):
    """A site's response; ``url`` is the one that it is for, after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class OutsideClient:
    """Calls URLs whose addresses ``addresses`` permits, :data:`_PER_HOST` of one host at a time.

    ``resolve`` returns the addresses of a name, ``tls`` has the authorities to trust, ``agent`` is
    the User-Agent.
    """

    def __init__(
        self,
        addresses: AddressPolicy,
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        agent: str = "ColorlessBot/0.1",
    ) -> None:
        self._addresses = addresses
        self._resolve = resolve
        self._given_tls = tls
        self._agent = agent
        self.host_limit = HostLimit(_PER_HOST)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The system's authorities, unless others were given; loaded at the first call."""
        return self._given_tls or ssl.create_default_context()

    def check(self, url: str) -> Url:
        """The URL in its parts. Raises :class:`Refused` for one that can be refused without
        resolving its host."""
        parts = parse_url(url)
        if not self._addresses.permit_port(parts.port):
            raise Refused(f"port {parts.port} is not called, only 80 and 443")
        literal = parse(parts.host)
        if literal is not None and not self._addresses.permit(literal, parts.port):
            raise Refused(f"{parts.host} is not a public address")
        return parts

    def get(self, url: str, *, accept: str, seconds: float, max_bytes: int) -> OutsideResponse:
        """GET the URL, following redirects; the body is cut off after ``max_bytes`` bytes.

        ``seconds`` is the deadline for all of it. Raises :class:`OutsideError`."""
        with _deadline(seconds):
            for _ in range(_REDIRECTS + 1):
                answer = self._exchange("GET", url, b"", {"Accept": accept}, max_bytes)
                if answer.status not in _REDIRECTING or "location" not in answer.headers:
                    return answer
                url = _join(url, answer.headers["location"])
        raise UnusableResponse(f"more than {_REDIRECTS} redirects")

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> OutsideResponse:
        """POST ``content`` within ``seconds``; follows no redirect, and reads no body.

        Raises :class:`OutsideError`."""
        with _deadline(seconds):
            return self._exchange("POST", url, content, headers, max_bytes=0)

    def _exchange(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], max_bytes: int
    ) -> OutsideResponse:
        """One request and its response, on a connection of its own."""
        parts = self.check(url)
        headers = {
            **headers,
            "User-Agent": self._agent,
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }
        data = request.encode(method, parts.target, parts.authority, headers, content)
        with self.host_limit.slot(parts.host), closing(self._connect(parts)) as connection:
            answer = connection.exchange(method, data, max_bytes, truncate=True)
        encoding = answer.headers.get("content-encoding", "identity")
        found = decompression.decompress(answer.content, encoding, max_bytes)
        return OutsideResponse(str(parts), answer.status, answer.headers, found)

    def _connect(self, parts: Url) -> HTTPConnection:
        """A connection to the first permitted address that accepts one."""
        tls = self._tls if parts.scheme == "https" else None
        for address in self._permitted(parts):
            try:
                return connect(
                    str(address), parts.port, tls, server_name=parts.host, timeout=_CONNECT
                )
            except (DeadlineExceeded, ssl.SSLError):
                raise
            except OSError:
                continue  # nothing was sent yet, so the next address may be asked
        raise Unreachable(f"{parts.host} takes no connection")

    def _permitted(self, parts: Url) -> Iterator[Address]:
        """The addresses to try. Raises :class:`Refused` if the host has none that is permitted."""
        host, port = parts.host, parts.port
        try:
            found = [parse(text) for text in self._resolve(host, port)]
        except (socket.gaierror, UnicodeError):
            raise Unreachable(f"the name {host} cannot be resolved") from None
        allowed = [one for one in found if one and self._addresses.permit(one, port)]
        if found and not allowed:
            raise Refused(f"{host} has no public address")
        yield from allowed[:_ADDRESSES]


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # brackets round something that is no address
        raise Refused("the redirect leads to no URL") from None


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """One deadline for all of a call; whatever fails is raised as an :class:`OutsideError`."""
    with fail_after(seconds) as scope:
        try:
            yield
        except OSError as error:  # DeadlineExceeded is one too
            if scope.expired:
                raise TimedOut(f"no whole answer in {seconds:g} s") from None
            if isinstance(error, ssl.SSLError):
                raise Unreachable(f"TLS: {error}") from None
            raise Unreachable("the connection broke before the answer was whole") from error

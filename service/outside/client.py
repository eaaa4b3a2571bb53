"""One guarded HTTP call, in plain synchronous code: the caller's green thread waits, nobody else.

A name is resolved once; the addresses are vetted, and the connection goes to one of them and not
to the name, so there is no second answer from the DNS that could differ. Host and SNI keep the
name, and the certificate must be for it. There are no cookies, no credentials and no proxies:
urllib3's pools, unlike requests, read nothing from the environment.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
)
from urllib3.util import Timeout, Url, parse_url

from colorless.deadlines import DeadlineExceeded, fail_after
from service.outside import body
from service.outside.addresses import Address, Addresses, parse
from service.outside.errors import BadAnswer, Refused, TooSlow, Unreachable
from service.outside.gate import Gate

# Seconds for each address of a host, so that one that swallows packets leaves time for the next.
# Guessed, as is all here: other services' limits are of this size.
_CONNECT = 3.0
_ADDRESSES = 3
_REDIRECTS = 5
_PER_HOST = 2
_REDIRECTING = frozenset({301, 302, 303, 307, 308})

Resolve = Callable[[str, int], list[str]]


class Answer(NamedTuple):
    """What a site answered, and the ``url`` that it did so for, after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Client:
    """Calls to whatever ``addresses`` permits, a few to one host at a time."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        agent: str = "ColorlessBot/0.1",
    ) -> None:
        self._addresses = addresses
        self._resolve = resolve
        self._given_tls = tls
        self._agent = agent
        self.gate = Gate(_PER_HOST)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The system's authorities, unless others were given; reading them takes a while."""
        return self._given_tls or ssl.create_default_context()

    def check(self, url: str) -> Url:
        """The URL in its parts. Raises :class:`Refused` for one that no call is made to, whatever
        its host's addresses are."""
        try:
            parts = parse_url(url)
        except LocationParseError:
            raise Refused("this is no URL") from None
        if parts.scheme not in ("http", "https") or not parts.host:
            raise Refused("a URL starts with http:// or https:// and a host")
        if parts.auth is not None:
            raise Refused("a URL with a user name or password in it is not called")
        if not self._addresses.permit_port(_port(parts)):
            raise Refused(f"port {_port(parts)} is not called, only 80 and 443")
        literal = parse(_bare(parts.host))
        if literal is not None and not self._addresses.permit(literal, _port(parts)):
            raise Refused(f"{parts.host} is not a public address")
        return parts

    def get(self, url: str, *, accept: str, seconds: float, most: int) -> Answer:
        """At most ``most`` bytes of what is there, following redirects. Raises OutsideError."""
        with _time(seconds):
            for _ in range(_REDIRECTS + 1):
                answer = self._exchange("GET", url, None, {"Accept": accept}, most)
                if answer.status not in _REDIRECTING or "location" not in answer.headers:
                    return answer
                url = _join(url, answer.headers["location"])
        raise BadAnswer(f"more than {_REDIRECTS} redirects")

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> Answer:
        """What the site says to ``content``; a redirect is not followed. Raises OutsideError."""
        with _time(seconds):
            return self._exchange("POST", url, content, headers, most=0)

    def _exchange(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], most: int
    ) -> Answer:
        """One request and its answer, at the first vetted address that takes the connection."""
        parts = self.check(url)
        own = {"Host": parts.netloc or "", "User-Agent": self._agent, "Accept-Encoding": "gzip"}
        with self.gate.visit(host_of(parts)):
            for address in self._vetted(parts):
                pool = self._pool(parts, address)
                try:
                    response = pool.urlopen(
                        method,
                        parts.request_uri,
                        body=content,
                        headers={**headers, **own},
                        redirect=False,
                        retries=False,
                        assert_same_host=False,
                        preload_content=False,
                        decode_content=False,
                    )
                except (NewConnectionError, ConnectTimeoutError) as error:
                    if isinstance(error.__cause__, DeadlineExceeded):
                        raise error.__cause__ from None
                    continue  # nothing was sent yet, so the next address may be asked
                try:
                    found = body.read(response, most)
                    return Answer(parts.url, response.status, response.headers, found)
                finally:
                    response.close()
        raise Unreachable(f"{host_of(parts)} takes no connection")

    def _vetted(self, parts: Url) -> Iterator[Address]:
        """Addresses to try. Raises :class:`Refused` where the host has only forbidden ones."""
        host, port = host_of(parts), _port(parts)
        try:
            found = [parse(text) for text in self._resolve(host, port)]
        except (socket.gaierror, UnicodeError):
            raise Unreachable(f"the name {host} cannot be resolved") from None
        allowed = [one for one in found if one and self._addresses.permit(one, port)]
        if found and not allowed:
            raise Refused(f"{host} has no public address")
        yield from allowed[:_ADDRESSES]

    def _pool(self, parts: Url, address: Address) -> urllib3.HTTPConnectionPool:
        timeout = Timeout(connect=_CONNECT, read=None)  # reading is bounded by the deadline
        if parts.scheme == "http":
            return urllib3.HTTPConnectionPool(str(address), _port(parts), timeout=timeout)
        return urllib3.HTTPSConnectionPool(
            str(address),
            _port(parts),
            timeout=timeout,
            ssl_context=self._tls,
            server_hostname=host_of(parts),
        )


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # an address in brackets that is none
        raise Refused("the redirect leads to no URL") from None


def host_of(parts: Url) -> str:
    """The host alone, as names are compared: no brackets, no dot at the end, in lower case."""
    return _bare(parts.host or "").lower()


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".")


def _port(parts: Url) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


@contextmanager
def _time(seconds: float) -> Iterator[None]:
    """One deadline for all of a call, and the words of :class:`OutsideError` for what fails."""
    with fail_after(seconds) as scope:
        try:
            yield
        except (HTTPError, OSError) as error:
            # The deadline is an OSError too, and urllib3 wraps it as one of its own.
            if scope.expired:
                raise TooSlow(f"no whole answer in {seconds:g} s") from None
            if isinstance(error, SSLError | ssl.SSLError):
                raise Unreachable(f"TLS: {error}") from None
            raise Unreachable("the connection broke before the answer was whole") from error

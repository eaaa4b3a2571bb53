"""A client for any number of sites: it keeps connections open, and limits each call's time."""

from __future__ import annotations

import re
import ssl
import time
from collections import deque
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from colorless.integrations.http import request
from colorless.integrations.http.connection import HTTPConnection, connect
from colorless.integrations.http.errors import NoAnswer, TooSlow
from colorless.integrations.http.reader import Answer
from colorless.lowlevel import limit

# Methods that may be sent again when a kept connection ends without an answer (RFC 9110, 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_NOTHING: Mapping[str, str] = MappingProxyType({})
_URL = re.compile(r"(https?)://([\w.:\[\]-]+)((?:[/?][^#]*)?)(?:#.*)?", re.DOTALL)


class Client:
    """Calls over HTTP/1.1. Times in seconds, sizes in bytes.

    A client belongs to the thread that made it, as gevent's sockets do.

    :param timeout: for each call, from the look-up of the name to the last byte; a deadline of the
        caller (``fail_after``) ends it earlier.
    :param max_bytes: how large the body of an answer may be; a larger one is :class:`BadAnswer`.
    :param max_idle: connections that are kept for later calls, of all sites together; the one that
        was idle longest is closed for one more. An idle connection is a socket and no green thread.
    :param idle_seconds: after which a kept connection is not used any more. Guessed: less than the
        60 or 75 s after which common servers close them.
    :param headers: sent with every call.
    :param tls: by default the system's authorities are trusted. Certificates are verified, unless
        a context that you give does not.
    """

    def __init__(
        self,
        *,
        timeout: float | None = 30.0,
        max_bytes: int = 16 * 1024 * 1024,
        max_idle: int = 1000,
        idle_seconds: float = 50.0,
        headers: Mapping[str, str] = _NOTHING,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._max_idle = max_idle
        self._idle_seconds = idle_seconds
        self._headers = dict(headers)
        self._given_tls = tls
        self._idle: dict[str, deque[HTTPConnection]] = {}  # by origin, the newest at the end
        self._order: dict[HTTPConnection, str] = {}  # all of them, the oldest first

    def get(self, url: str, headers: Mapping[str, str] = _NOTHING) -> Answer:
        """GET ``url``. ``headers`` and errors are those of :meth:`request`."""
        return self.request("GET", url, headers)

    def post(self, url: str, content: bytes, headers: Mapping[str, str] = _NOTHING) -> Answer:
        """POST ``content`` to ``url``. ``headers`` and errors are those of :meth:`request`."""
        return self.request("POST", url, headers, content)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] = _NOTHING, content: bytes = b""
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        :param method: in capitals: ``GET``.
        :param url: ``http://`` or ``https://``, without a user name.
        :param headers: beside the client's; one that is spelled the same replaces it.
        :param content: the body.
        :raises ValueError: a URL, method or header that HTTP does not know; nothing was sent.
        :raises HTTPError: the answer did not come, was not HTTP, or came too late.
        :raises OSError: no connection could be made.
        :raises DeadlineExceeded: the caller's deadline has passed.
        """
        found = _URL.fullmatch(url)
        if found is None:
            raise ValueError(f"{url!r} is no URL to call: write http://host/path, without a user")
        scheme, host, target = found.groups()
        if headers or self._headers:
            headers = {**self._headers, **headers}
        data = request.encode(method, target or "/", host, headers, content)
        late = TooSlow(f"no whole answer from {host} in {self._timeout} s")
        with limit(self._timeout, late):
            return self._exchange(f"{scheme}://{host}", method, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept. The client can still be used."""
        while self._order:
            self._close_oldest()

    def _exchange(self, origin: str, method: str, data: bytes) -> Answer:
        connection = self._kept(origin)
        if connection is not None:
            try:
                return self._call(origin, connection, method, data)
            except NoAnswer:
                # The server closed the idle connection while the request was on its way.
                if connection.heard or method not in _IDEMPOTENT:
                    raise
        return self._call(origin, self._connect(origin), method, data)

    def _call(self, origin: str, connection: HTTPConnection, method: str, data: bytes) -> Answer:
        answer = None
        try:
            answer = connection.exchange(method, data, self._max_bytes)
            return answer
        finally:
            if answer is not None and connection.reusable:
                self._keep(origin, connection)
            else:
                connection.close()

    def _kept(self, origin: str) -> HTTPConnection | None:
        """The connection to this site that was used last, if it is still good."""
        while idle := self._idle.get(origin):
            connection = idle[-1]
            self._forget(connection, origin)
            fresh = connection.idle_since > time.monotonic() - self._idle_seconds
            if fresh and connection.quiet():
                return connection
            connection.close()
        return None

    def _keep(self, origin: str, connection: HTTPConnection) -> None:
        connection.idle_since = time.monotonic()
        self._order[connection] = origin
        self._idle.setdefault(origin, deque()).append(connection)
        if len(self._order) > self._max_idle:
            self._close_oldest()

    def _close_oldest(self) -> None:
        connection, origin = next(iter(self._order.items()))
        self._forget(connection, origin)
        connection.close()

    def _forget(self, connection: HTTPConnection, origin: str) -> None:
        """Take out the newest of a site, or the oldest of all, which is its site's oldest too."""
        del self._order[connection]
        idle = self._idle[origin]
        if idle[-1] is connection:
            idle.pop()
        else:
            idle.popleft()
        if not idle:
            del self._idle[origin]

    def _connect(self, origin: str) -> HTTPConnection:
        parts = urlsplit(origin)
        if not parts.hostname:
            raise ValueError(f"{origin!r} names no host")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        tls = self._tls if parts.scheme == "https" else None
        return connect(parts.hostname, port, tls, server_name=parts.hostname)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or ssl.create_default_context()

"""What a client may ask of a worker's time: the deadlines of a connection, in seconds and bytes.

gunicorn's own settings say how large a request may be and how many are served at once; these say
how slow a client may be. Subclass the worker to change them::

    class Patient(WSGIWorker):
        limits = Limits(stall_timeout=60.0)
"""

from __future__ import annotations

import time
from dataclasses import dataclass

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing in the server, so that ending one early loses nothing (RFC 9110,
section 9.2.1)."""


class ClientTooSlow(TimeoutError):
    """The client sent its request, or took the response, slower than :class:`Limits` allow."""


class ClientDisconnected(Exception):
    """The client has closed its connection, and its request is to end.

    Raised in the request's green thread at the point where it waits. It is no ``OSError``, so that
    code which retries broken connections does not take it for one of its own.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines of one connection. The defaults are those of Apache's mod_reqtimeout."""

    head_timeout: float = 20.0
    """Seconds from the first byte of a request (or the accept) to the end of its head."""

    stall_timeout: float = 20.0
    """Seconds for which a body or a response may make no progress at all."""

    min_rate: float = 500.0
    """Bytes a second that a body or a response must make on average, after ``stall_timeout``."""

    linger: float = 2.0
    """Seconds for which a drain still listens to a client that was just answered, since it may
    be sending its next request already; also how long a closing connection is read, so that the
    client gets the last response and no reset. gunicorn's gthread worker waits as long."""

    ping_interval: float = 20.0
    """Seconds between two pings on a WebSocket; a client that has sent nothing, no pong either,
    behind two of them is gone. uvicorn's and websockets' default."""

    cancelled_methods: frozenset[str] = frozenset()
    """Methods whose requests end with :class:`ClientDisconnected` when the client goes away,
    unless the request says otherwise. None by default: a psycopg2 connection that is interrupted
    in a query is closed, and not every pool notices. :data:`SAFE_METHODS` is the choice where the
    pool does, as ``colorless.postgres`` does."""


class Pace:
    """How long one transfer may go on waiting for the client. Decides; waits for nothing itself.

    After ``moved`` bytes the waits may have taken ``stall_timeout + moved / min_rate`` seconds
    together, and no single one more than ``stall_timeout``. Time that the application takes
    between two waits does not count against the client.
    """

    __slots__ = ("_limits", "_moved", "_since", "_waited")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._moved = 0
        self._waited = 0.0
        self._since = 0.0

    def patience(self) -> float:
        """Seconds that the wait which starts now may take. Raises :class:`ClientTooSlow`."""
        limits = self._limits
        allowed = limits.stall_timeout + self._moved / limits.min_rate
        if self._waited >= allowed:
            raise ClientTooSlow(
                f"{self._moved} bytes in {self._waited:.0f} s; "
                f"the limit is {limits.min_rate:g} bytes a second"
            )
        self._since = time.monotonic()
        return min(limits.stall_timeout, allowed - self._waited)

    def waited(self) -> None:
        """The wait that :meth:`patience` began is over."""
        self._waited += time.monotonic() - self._since

    def moved(self, count: int) -> None:
        """``count`` more bytes went through."""
        self._moved += count

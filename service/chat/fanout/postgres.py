"""Fan-out through PostgreSQL's LISTEN and NOTIFY.

NOTIFY takes a lock over the whole server at commit, so it stays out of the transactions that
write messages: one green thread collects the notices of a few milliseconds and sends them in one
statement. A process has two connections for this, besides its pool: one listens, one sends.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent
import msgspec
import psycopg2
import structlog
from gevent.socket import wait_read

from colorless.deadlines import fail_after
from colorless.postgres import Connection
from colorless.postgres.connect import connect
from service.backoff import Backoff
from service.chat.fanout.backend import Receive
from service.chat.fanout.notices import Notice, decode, encode
from service.chat.fanout.outgoing import Outgoing

log = structlog.get_logger("service.fanout")

CHANNEL = "colorless"
# PostgreSQL's limit for one payload is 8000 bytes.
PAYLOAD = 7900
# Seconds; guessed: a server that does not answer for so long is gone.
TIMEOUT = 5.0
# Seconds of silence after which the listening connection is asked whether it is alive; guessed.
SILENCE = 10.0

_BROKEN = (psycopg2.Error, OSError)  # a deadline that passed is an OSError too


class PostgresFanout:
    """Reaches every process that uses the same database."""

    def __init__(self, dsn: str, channel: str = CHANNEL) -> None:
        self._dsn = dsn
        self._channel = channel
        self._outgoing = Outgoing(self._send, _BROKEN)
        self._connection: Connection | None = None  # that sends
        self._listener: gevent.Greenlet | None = None
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether LISTEN is in force."""
        return self._connected

    def publish(self, notice: Notice) -> None:
        """Send the notice soon."""
        self._outgoing.add(notice)

    def listen(self, receive: Receive, recovered: Callable[[], None]) -> None:
        """Receive what every process publishes, this one included."""
        self._listener = gevent.spawn(self._listen_forever, receive, recovered)

    def close(self) -> None:
        """End its green threads and connections."""
        self._outgoing.stop()
        if self._listener is not None:
            self._listener.kill()
            self._listener = None
        self._disconnect()

    def _send(self, notices: list[Notice]) -> None:
        if self._connection is None:
            self._connection = connect(self._dsn, TIMEOUT)
        payloads = [text.decode() for text in encode(notices, PAYLOAD)]
        try:
            with fail_after(TIMEOUT):
                self._connection.execute(
                    "SELECT pg_notify(%s, payload) FROM unnest(%s) AS payload",
                    (self._channel, payloads),
                )
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen_forever(self, receive: Receive, recovered: Callable[[], None]) -> None:
        backoff = Backoff()
        while True:
            try:
                self._listen(receive, recovered, backoff)
            except _BROKEN as error:
                log.warning("cannot listen; trying again", error=repr(error))
            gevent.sleep(backoff.delay())

    def _listen(self, receive: Receive, recovered: Callable[[], None], backoff: Backoff) -> None:
        connection = connect(self._dsn, TIMEOUT)
        try:
            with fail_after(TIMEOUT):
                connection.execute(f'LISTEN "{self._channel}"')
            self._connected = True
            backoff.reset()
            recovered()
            while True:
                self._drain(connection, receive)
                self._wait(connection)
        finally:
            self._connected = False
            connection.close()

    def _drain(self, connection: Connection, receive: Receive) -> None:
        while connection.notifies:
            payload = connection.notifies.pop(0).payload
            try:
                receive(decode(payload))
            except msgspec.DecodeError:
                log.warning("not a notice", payload=payload[:200])

    def _wait(self, connection: Connection) -> None:
        try:
            wait_read(connection.fileno(), timeout=SILENCE, timeout_exc=TimeoutError())
        except TimeoutError:
            with fail_after(TIMEOUT):
                connection.execute("SELECT 1")
        connection.poll()

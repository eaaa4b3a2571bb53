"""What ``receive()`` tells of a request's body.

A body of known length is counted here; a chunked one is gunicorn's to take apart. Who waits for
more waits green: of the loop's tasks, only the one that asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gunicorn.http.body import ChunkedReader

from colorless.server.engine.limits import ClientDisconnected, Pace
from colorless.server.wsgi.body import give_back

if TYPE_CHECKING:
    from colorless.server.asgi.connection import ASGIConnection
    from colorless.server.engine.head import GunicornRequest

_UNKNOWN = -1


class Body:
    """The body of one request, from what has arrived and from what is still to come."""

    __slots__ = ("_chunks", "_connection", "_left", "_pace", "expected")

    def __init__(
        self,
        connection: ASGIConnection,
        length: int,
        chunks: Iterator[bytes] | None = None,
        expected: bool = False,
    ) -> None:
        self._connection = connection
        self._left = length
        self._chunks = chunks
        self._pace: Pace | None = None
        # Whether the client waits for "100 Continue" before it sends the body.
        self.expected = expected

    @classmethod
    def of_gunicorn(cls, connection: ASGIConnection, request: GunicornRequest) -> Body:
        """The body that gunicorn's parser found behind a head."""
        reader = request.body.reader
        expected = request._expected_100_continue
        if isinstance(reader, ChunkedReader):
            return cls(connection, 0, reader.parser, expected)
        give_back(connection)
        return cls(connection, reader.length, None, expected)

    @property
    def ended(self) -> bool:
        """Whether all of it was read."""
        return self._left == 0 and self._chunks is None

    def at_end(self) -> bool:
        """Whether the bytes that follow are the next request's. What the application did not ask
        for is dropped, if it has arrived; otherwise nobody knows where the next request starts."""
        if self._chunks is None and 0 < self._left <= len(self._connection.buffer):
            self._connection.buffer = self._connection.buffer[self._left :]
            self._left = 0
        return self.ended

    def read(self) -> bytes:
        """What comes next; ``b""`` at the end. Waits green, for one piece at most.

        Raises ``ClientDisconnected``, ``ClientTooSlow`` and what gunicorn's chunk parser raises.
        """
        if self.ended:
            return b""
        if self._left == _UNKNOWN:
            raise ClientDisconnected("as it sent a body that cannot be read on")
        if self.expected:
            self.expected = False
            self._connection.transport.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self._read_piece() if self._chunks is None else self._read_chunk(self._chunks)

    def _read_piece(self) -> bytes:
        connection = self._connection
        if self._pace is None:
            self._pace = Pace(connection.worker.limits)
        data = connection.receive(self._pace)
        if not data:
            raise ClientDisconnected("in the middle of its request")
        if len(data) > self._left:
            connection.buffer = data[self._left :] + connection.buffer
            data = data[: self._left]
        self._left -= len(data)
        return data

    def _read_chunk(self, chunks: Iterator[bytes]) -> bytes:
        # Until it is known what follows, so that no error can make it the next request.
        self._left = _UNKNOWN
        for data in chunks:
            if data:
                self._left = 0
                return data
        self._left, self._chunks = 0, None
        give_back(self._connection)
        return b""

"""What ``receive()`` tells of a request's body.

A body of known length is counted here; a chunked one is gunicorn's to take apart. Who waits for
more waits green: of the loop's tasks, only the one that asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from colorless.compat.gunicorn import ChunkedReader, expects_continue
from colorless.server.engine.connection import Connection
from colorless.server.engine.limits import ClientDisconnected, Pace
from colorless.server.request import GunicornRequest, Incoming

_UNKNOWN = -1


class Body:
    """The body of one request, from what has arrived and from what is still to come."""

    __slots__ = ("_chunks", "_connection", "_incoming", "_left", "_pace", "expected")

    def __init__(self, connection: Connection, length: int, expected: bool = False) -> None:
        self._connection = connection
        self._left = length
        self._chunks: Iterator[bytes] | None = None
        self._incoming: Incoming | None = None
        self._pace: Pace | None = None
        # Whether the client waits for "100 Continue" before it sends the body.
        self.expected = expected

    @classmethod
    def of_gunicorn(cls, connection: Connection, request: GunicornRequest) -> Body:
        """The body that gunicorn's parser found behind a head."""
        reader = request.body.reader
        if not isinstance(reader, ChunkedReader):
            return cls(connection, reader.length, expects_continue(request))
        body = cls(connection, 0, expects_continue(request))
        body._chunks, body._incoming = reader.parser, request.unreader
        return body

    @property
    def ended(self) -> bool:
        """Whether all of it was read."""
        return self._left == 0 and self._chunks is None

    def ends(self) -> bool:
        """Whether it is known where the next request starts: all of it is read, or is here."""
        return self._chunks is None and 0 <= self._left <= len(self._connection.buffer)

    def finish(self) -> None:
        """Drop what the application did not ask for of a body that :meth:`ends`."""
        if self._left:
            self._connection.buffer = self._connection.buffer[self._left :]
            self._left = 0

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
            self._pace = Pace(connection.server.settings.limits)
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
        if self._incoming is not None:
            self._incoming.give_back()
        return b""

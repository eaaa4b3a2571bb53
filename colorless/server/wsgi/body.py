"""``wsgi.input``: a request's body, from what has arrived and from what is still to come.

A body that arrived together with its head, as most do, is a ``BytesIO``. For the others gunicorn's
own readers (``LengthReader``, ``ChunkedReader``) decide what belongs to the body, fed from here.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import Unreader

from colorless.server.engine.limits import ClientDisconnected, Pace

if TYPE_CHECKING:
    from colorless.server.engine.connection import Connection


class Incoming(Unreader):
    """gunicorn's source of bytes, drawing on a connection; one for each request."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        connection.incoming = self
        self._pace = Pace(connection.worker.limits)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes from the client. Raises ``ClientTooSlow``, and ``ClientDisconnected`` at
        its end: gunicorn would pass on a body that was cut short as if it were whole."""
        data = self._connection.receive(self._pace)
        if not data:
            raise ClientDisconnected("in the middle of its request")
        return data


def body_of(connection: Connection, length: int) -> Any:
    """The body of ``length`` bytes that follows the head just taken from the buffer."""
    arrived = connection.buffer
    if length <= len(arrived):
        connection.buffer = arrived[length:]
        return BytesIO(arrived[:length])
    return Body(LengthReader(Incoming(connection), length))


def at_end(connection: Connection, body: Any) -> bool:
    """Whether the bytes behind ``body`` are the next request's: all of it is read, or is here.

    A short rest that the application did not ask for is dropped; after a body that failed to
    parse, or one that has not arrived, nobody knows where the next request starts.
    """
    if isinstance(body, BytesIO):
        return True
    if body.failed:
        return False
    reader = body.reader
    if isinstance(reader, ChunkedReader):
        return reader.parser is None
    if reader.length:
        if reader.length > reader.unreader.buf.tell() + len(connection.buffer):
            return False
        reader.read(reader.length)
    return True


def give_back(connection: Connection) -> None:
    """Return what was read beyond the body to the connection: it is the next request's."""
    if connection.incoming is not None:
        connection.buffer = connection.incoming.take_buffered() + connection.buffer
        connection.incoming = None

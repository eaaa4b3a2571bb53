"""``wsgi.input``: a request's body, from what has arrived and from what is still to come.

A body that arrived together with its head, as most do, is a ``BytesIO``. For the others gunicorn's
own readers (``LengthReader``, ``ChunkedReader``) decide what belongs to the body.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from colorless.compat.gunicorn import Body, LengthReader
from colorless.server.engine.connection import Connection
from colorless.server.request import Incoming


def body_of(connection: Connection, length: int) -> Any:
    """The body of ``length`` bytes that follows the head just taken from the buffer."""
    arrived = connection.buffer
    if length <= len(arrived):
        connection.buffer = arrived[length:]
        return BytesIO(arrived[:length])
    return Body(LengthReader(Incoming(connection), length))


def ends(connection: Connection, body: Any) -> bool:
    """Whether it is known where the next request starts: all of ``body`` is read, or is here.

    After a body that failed to parse, or one that has not arrived, nobody knows.
    """
    if isinstance(body, BytesIO):
        return True
    if body.failed:
        return False
    reader = body.reader
    if isinstance(reader, LengthReader):
        left: int = reader.length - reader.unreader.buf.tell()
        return left <= len(connection.buffer)
    return reader.parser is None


def finish(request: Any) -> None:
    """Drop what the application did not ask for of a body that :func:`ends`, and return what was
    read beyond it to the connection: it is the next request's."""
    if isinstance(request.body, BytesIO):
        return
    reader = request.body.reader
    if isinstance(reader, LengthReader):
        reader.read(reader.length)
        reader.unreader.give_back()
    else:
        request.unreader.give_back()

"""Server-sent events (SSE), for a stock ``EventSource``.

The id of an event is the client's position in all of its rooms after it. A browser sends the last
id when it reconnects, so it resumes without any script.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.api.stream_socket import SocketStream
from service.chat.events import Closing, encode
from service.chat.live.batch import Batch, Item
from service.chat.live.stream import End

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream\r\n"
    b"Cache-Control: no-store\r\n"
    b"X-Accel-Buffering: no\r\n"
    b"Connection: close\r\n\r\n"
)
# Milliseconds after which a client comes back when the connection breaks; guessed.
RETRY = b"retry: 1000\n\n"
# A browser sends nothing on this connection but the request.
_MAX_RECEIVED = 4096


class SSEStream(SocketStream):
    """A client that reads server-sent events."""

    __slots__ = ()

    def render(self, batch: Batch) -> bytes:
        """The batch with ids: the same bytes for all clients with the same positions elsewhere."""
        assert self.subscriber is not None, "what is delivered is delivered through a subscriber"
        elsewhere = self.subscriber.position_elsewhere(batch.room_id)
        prefix = elsewhere + "." if elsewhere else ""

        def blocks(items: Sequence[Item]) -> bytes:
            return b"".join([_block(item.json, prefix + item.mark) for item in items])

        return batch.rendered("blocks " + prefix, blocks)

    def event(self, json: bytes, position: str | None = None) -> bytes:
        """One event in the text format of SSE."""
        return _block(json, position)

    def ping(self) -> None:
        """Send a comment. TCP closes the connection if the client does not acknowledge it."""
        self.write(b":\n\n")

    def received(self, data: bytes) -> None:
        """Ignore what the client sends; close if it is much."""
        if len(data) >= _MAX_RECEIVED:
            self.close()

    def closing_data(self, why: End) -> bytes:
        """When to reconnect, and a ``closing`` event with the reason."""
        retry = b"" if why.retry is None else b"retry: %d\n" % (why.retry * 1000)
        return retry + _block(encode(Closing(why.code, why.reason)), None)


def _block(json: bytes, position: str | None) -> bytes:
    if position is None:
        return b"data: %b\n\n" % json
    return b"id: %b\ndata: %b\n\n" % (position.encode(), json)

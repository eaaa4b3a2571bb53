"""Server-sent events on a parked socket, for a stock ``EventSource``.

The id of an event is where the client is behind it in all of its rooms, so that the browser, which
sends the last id when it reconnects, resumes without a line of script.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.api.parked import ParkedStream
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
_MOST_RECEIVED = 4096


class EventStream(ParkedStream):
    """A client that reads server-sent events."""

    __slots__ = ()

    def render(self, batch: Batch) -> bytes:
        """The batch with ids, the same for all who have the same other rooms at the same place."""
        assert self.audience is not None, "what is delivered is delivered through an audience"
        elsewhere = self.audience.position_elsewhere(batch.room_id)
        prefix = elsewhere + "." if elsewhere else ""

        def blocks(items: Sequence[Item]) -> bytes:
            return b"".join([_block(item.json, prefix + item.mark) for item in items])

        return batch.rendered("blocks " + prefix, blocks)

    def event(self, json: bytes, position: str | None = None) -> bytes:
        """One event as a block."""
        return _block(json, position)

    def pulse(self) -> None:
        """A comment. Without an answer TCP tells that the client is gone."""
        self.write(b":\n\n")

    def received(self, data: bytes) -> None:
        """Nothing that a client could mean."""
        if len(data) >= _MOST_RECEIVED:
            self.close()

    def last_words(self, why: End) -> bytes:
        """When to come back, and why."""
        retry = b"" if why.retry is None else b"retry: %d\n" % (why.retry * 1000)
        return retry + _block(encode(Closing(why.code, why.reason)), None)


def _block(json: bytes, position: str | None) -> bytes:
    if position is None:
        return b"data: %b\n\n" % json
    return b"id: %b\ndata: %b\n\n" % (position.encode(), json)

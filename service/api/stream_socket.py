"""A stream on a client's socket: a small object and a read watcher, without a green thread.

Data is written at once if the socket takes it, and otherwise from gevent's hub as soon as it does.
The data that waits is bounded: the stream of a client that reads too slowly is ended, and the
client has to resume.
"""

from __future__ import annotations

import ssl
from collections import deque
from enum import Enum, auto
from typing import Any, NamedTuple

import gevent
from gevent.event import Event

from colorless.server.engine.transport import end_writing
from service.api.heartbeat import Heartbeat
from service.api.socket_takeover import TakenSocket
from service.chat.live.registry import StreamRegistry
from service.chat.live.stream import TOO_SLOW, End, Stream
from service.chat.live.subscriber import Subscriber

READ, WRITE = 1, 2  # libev's events
_WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_READ_SIZE = 16384


class StreamState(Enum):
    """OPEN; then CLOSING, while the protocol's closing data is being sent; then CLOSED."""

    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class StreamContext(NamedTuple):
    """What the streams of a process share: their registry, their heartbeat, and the number of bytes
    that may wait for one client."""

    registry: StreamRegistry
    heartbeat: Heartbeat
    max_queued_bytes: int


class SocketStream(Stream[Subscriber]):
    """What both protocols share: the socket, the queue of data to write, and closing."""

    __slots__ = (
        "_context",
        "_ended",
        "_flushed",
        "_held",
        "_is_lent",
        "_queue",
        "_queued",
        "_reader",
        "_sock",
        "_writer",
        "made_progress",
        "slot",
        "state",
    )

    def __init__(self, context: StreamContext, session: bytes, taken: TakenSocket) -> None:
        super().__init__(session)
        self._context = context
        self._sock = taken.sock
        self._is_lent = taken.is_lent
        self._queue: deque[bytes | memoryview] | None = None  # a deque is large: only while needed
        self._queued = self._held = 0
        self._flushed: Event | None = None
        self._ended: Event | None = None
        self._writer: Any = None
        self.state = StreamState.OPEN
        self.made_progress = True  # whether queued data was sent since the last heartbeat
        self.slot = context.heartbeat.add(self)
        self._reader = gevent.get_hub().loop.io(self._sock.fileno(), READ)
        self._reader.start(self._on_readable)

    @property
    def is_open(self) -> bool:
        """Whether the client may still get something."""
        return self.state is StreamState.OPEN

    # Writing

    def hold(self, data: bytes) -> None:
        """Append to ``held``, which may have as many bytes as the queue."""
        assert self.held is not None
        self.held.append(data)
        self._held += len(data)
        if self._held > self._context.max_queued_bytes:
            self.end(TOO_SLOW)

    def write(self, data: bytes) -> None:
        """Send now or as soon as the client takes it; ends the stream if too much waits."""
        if self.state is not StreamState.OPEN:
            return
        self._put(data)
        if self.held is None and self._queued > self._context.max_queued_bytes:
            self.end(TOO_SLOW)

    def flush(self) -> bool:
        """Wait until the queue is empty; returns whether the stream is still open."""
        while self._queue and self.state is StreamState.OPEN:
            self._flushed = self._flushed or Event()
            self._flushed.clear()
            self._flushed.wait()
        return self.state is StreamState.OPEN

    def _put(self, data: bytes) -> None:
        if not self._queue:
            sent = self._send(data)
            if sent == len(data) or self.state is StreamState.CLOSED:
                return
            self._queue = deque((memoryview(data)[sent:],))
            self._queued = len(data) - sent
            self._writer = gevent.get_hub().loop.io(self._sock.fileno(), WRITE)
            self._writer.start(self._on_writable)
        else:
            self._queue.append(data)
            self._queued += len(data)

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._sock.send(data)
        except _WOULD_BLOCK:
            return 0
        except OSError:
            self.close()
            return 0

    def _on_writable(self) -> None:
        queue = self._queue
        while queue:
            data = queue[0]
            sent = self._send(data)
            self._queued -= sent
            if sent:
                self.made_progress = True
            if sent < len(data):
                if queue and sent:
                    queue[0] = memoryview(data)[sent:]
                return
            queue.popleft()
        self._drop_queue()
        if self.state is StreamState.CLOSING:
            self._finish()

    def _drop_queue(self) -> None:
        self._queue = None
        self._queued = 0
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
            self._writer = None
        if self._flushed is not None:
            self._flushed.set()

    # Reading

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(_READ_SIZE)
        except _WOULD_BLOCK:
            return
        except OSError:
            data = b""
        if data:
            self.received(data)
        else:
            self.hung_up()

    def received(self, data: bytes) -> None:
        """Take what the client has sent."""
        raise NotImplementedError

    def hung_up(self) -> None:
        """The client has closed its side."""
        self.close()

    # Heartbeat

    def beat(self) -> None:
        """Called once in a heartbeat's period: ping, and end the stream if nothing of its queue was
        sent since the last time."""
        if self._queue and not self.made_progress:
            self.end(TOO_SLOW)
            return
        self.made_progress = False
        self.ping()

    def ping(self) -> None:
        """Send what the protocol has for keeping a connection alive."""
        raise NotImplementedError

    # Closing

    def end(self, why: End) -> None:
        """Tell the client why, and close. Queued data is dropped: the client will resume."""
        if self.state is not StreamState.OPEN:
            return
        if self._queue:
            # The first piece may have been sent in part, so the rest of it is sent too.
            while len(self._queue) > 1:
                self._queued -= len(self._queue.pop())
        self.held = []
        closing = self.closing_data(why)
        self._begin_to_close()
        self._put(closing)
        if not self._queue:
            self._finish()

    def closing_data(self, why: End) -> bytes:
        """The bytes that tell the client why, in the stream's protocol."""
        raise NotImplementedError

    def _begin_to_close(self) -> None:
        self.state = StreamState.CLOSING
        self._context.heartbeat.linger(self)
        if self._flushed is not None:
            self._flushed.set()
        self._context.registry.closed(self)

    def _finish(self) -> None:
        """All is sent: close this side, and wait for the client to close the other."""
        if self.state is StreamState.CLOSED:
            return
        try:
            end_writing(self._sock)
        except OSError:
            self.close()

    def close(self) -> None:
        """Close now, without telling the client. Closing twice is nothing."""
        if self.state is StreamState.CLOSED:
            return
        self.state = StreamState.CLOSED
        self._drop_queue()
        self._reader.stop()
        self._reader.close()
        if not self._is_lent:
            self._sock.close()
        if self._ended is not None:
            self._ended.set()
        self._context.heartbeat.discard(self)
        self._context.registry.closed(self)

    def wait_for_end(self) -> None:
        """Wait until the stream is closed."""
        self._ended = Event()
        if self.state is not StreamState.CLOSED:
            self._ended.wait()

"""A stream parked on its socket: a small object and a read watcher, and no green thread.

Writing happens at once where the client takes it, and otherwise in the hub as soon as it does.
What waits is bounded: a client that does not keep up is told so and has to resume.
"""

from __future__ import annotations

import ssl
from collections import deque
from enum import Enum, auto
from typing import Any, NamedTuple

import gevent
from gevent.event import Event

from colorless.server.engine.transport import end_writing
from service.api.heart import Heart
from service.api.takeover import Taken
from service.chat.live.hub import Hub
from service.chat.live.stream import TOO_SLOW, End, Stream

READ, WRITE = 1, 2  # libev's events
_WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_READ_SIZE = 16384


class State(Enum):
    """OPEN; then CLOSING, while the last words are under way; then CLOSED."""

    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class Place(NamedTuple):
    """Where a process keeps its streams: their hub, their heartbeat, and the bytes that may wait
    for one client."""

    hub: Hub
    heart: Heart
    most: int


class ParkedStream(Stream):
    """What both protocols share: the socket, what waits to be written, and the end."""

    __slots__ = (
        "_ended",
        "_flushed",
        "_held",
        "_is_lent",
        "_place",
        "_queue",
        "_queued",
        "_reader",
        "_sock",
        "_writer",
        "state",
        "took",
        "turn",
    )

    def __init__(self, place: Place, session: bytes, taken: Taken) -> None:
        super().__init__(session)
        self._place = place
        self._sock = taken.sock
        self._is_lent = taken.is_lent
        self._queue: deque[bytes | memoryview] | None = None  # a deque is large: only while needed
        self._queued = self._held = 0
        self._flushed: Event | None = None
        self._ended: Event | None = None
        self._writer: Any = None
        self.state = State.OPEN
        self.took = True  # whether the client has taken something since the last heartbeat
        self.turn = place.heart.add(self)
        self._reader = gevent.get_hub().loop.io(self._sock.fileno(), READ)
        self._reader.start(self._on_readable)

    @property
    def is_open(self) -> bool:
        """Whether the client may still get something."""
        return self.state is State.OPEN

    # Out

    def hold(self, data: bytes) -> None:
        """As the base class says; what is held counts as what is queued does."""
        assert self.held is not None
        self.held.append(data)
        self._held += len(data)
        if self._held > self._place.most:
            self.end(TOO_SLOW)

    def write(self, data: bytes) -> None:
        """As the base class says."""
        if self.state is not State.OPEN:
            return
        self._put(data)
        if self.held is None and self._queued > self._place.most:
            self.end(TOO_SLOW)

    def flush(self) -> bool:
        """As the base class says."""
        while self._queue and self.state is State.OPEN:
            self._flushed = self._flushed or Event()
            self._flushed.clear()
            self._flushed.wait()
        return self.state is State.OPEN

    def _put(self, data: bytes) -> None:
        if not self._queue:
            sent = self._send(data)
            if sent == len(data) or self.state is State.CLOSED:
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
                self.took = True
            if sent < len(data):
                if queue and sent:
                    queue[0] = memoryview(data)[sent:]
                return
            queue.popleft()
        self._drop_queue()
        if self.state is State.CLOSING:
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

    # In

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
        """The client has sent something."""
        raise NotImplementedError

    def hung_up(self) -> None:
        """The client has closed its side."""
        self.close()

    # Heartbeat

    def beat(self) -> None:
        """Called every few seconds: let the client know that this side lives, and see whether the
        client does."""
        if self._queue and not self.took:
            self.end(TOO_SLOW)
            return
        self.took = False
        self.pulse()

    def pulse(self) -> None:
        """Send whatever keeps the protocol's connection alive."""
        raise NotImplementedError

    # The end

    def end(self, why: End) -> None:
        """As the base class says. What was not sent is dropped: the client will resume."""
        if self.state is not State.OPEN:
            return
        if self._queue:
            # The first piece may have been sent in part, and must be whole.
            while len(self._queue) > 1:
                self._queued -= len(self._queue.pop())
        self.held = []
        last_words = self.last_words(why)
        self._begin_to_close()
        self._put(last_words)
        if not self._queue:
            self._finish()

    def last_words(self, why: End) -> bytes:
        """What tells the client why, in the stream's protocol."""
        raise NotImplementedError

    def _begin_to_close(self) -> None:
        self.state = State.CLOSING
        self._place.heart.linger(self)
        if self._flushed is not None:
            self._flushed.set()
        self._place.hub.closed(self)

    def _finish(self) -> None:
        """All is sent: close this side, and wait for the client to close the other."""
        if self.state is State.CLOSED:
            return
        try:
            end_writing(self._sock)
        except OSError:
            self.close()

    def close(self) -> None:
        """End it now, without a word. Closing twice is nothing."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._drop_queue()
        self._reader.stop()
        self._reader.close()
        if not self._is_lent:
            self._sock.close()
        if self._ended is not None:
            self._ended.set()
        self._place.heart.discard(self)
        self._place.hub.closed(self)

    def wait_for_end(self) -> None:
        """Wait until the socket is not needed any more."""
        self._ended = Event()
        if self.state is not State.CLOSED:
            self._ended.wait()

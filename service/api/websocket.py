"""WebSocket streams: how a WebSocket frame is written, and what clients may send.

The protocol is that of the ``websockets`` library, without its I/O. An event is the same frame for
every client, so it is made into a frame once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import SERVER, Protocol
from websockets.protocol import State as Phase
from websockets.server import ServerProtocol

from service.api.socket_takeover import TakenSocket
from service.api.stream_socket import SocketStream, StreamContext, StreamState
from service.chat.live.batch import Batch, Item
from service.chat.live.stream import End

# Bytes of a message that a client may send, in one frame or several; all that it may send is short.
MAX_MESSAGE = 4096
# Frames that a client may send at once, and in a second over time; guessed: a person types and
# a script answers pings, a flood does more.
BURST, PER_SECOND = 60, 10

GONE = End(1001, "no answer to a ping", 1.0)
FLOOD = End(1008, "too many messages", 10.0)
UNSUPPORTED = End(1003, "send JSON as text", 10.0)


def handshake(path: str, fields: Iterable[tuple[str, str]]) -> Response:
    """The answer to an opening handshake: 101, or what is wrong with it. There is no compression:
    it takes 64 KiB for each connection, and a small frame could decompress to megabytes."""
    return ServerProtocol().accept(Request(path, Headers(fields)))


class WebSocketStream(SocketStream):
    """A client on a WebSocket, its handshake done."""

    __slots__ = ("_allowance", "_allowed_at", "_awaits_pong", "_on_message", "_parts", "_protocol")

    def __init__(
        self,
        context: StreamContext,
        session: bytes,
        taken: TakenSocket,
        on_message: Callable[[WebSocketStream, bytes], None],
    ) -> None:
        self._protocol = Protocol(SERVER, state=Phase.OPEN, max_size=MAX_MESSAGE)
        self._on_message = on_message
        self._parts: bytes = b""
        self._awaits_pong = False
        self._allowance, self._allowed_at = float(BURST), time.monotonic()
        super().__init__(context, session, taken)

    # Writing

    def render(self, batch: Batch) -> bytes:
        """The batch as frames, the same bytes for every client."""
        return batch.rendered("frames", _frames)

    def event(self, json: bytes, position: str | None = None) -> bytes:
        """The event as a frame; the client keeps its positions itself."""
        return frame(json)

    def ping(self) -> None:
        """Send a ping; a client that did not answer the one before is gone."""
        if self._awaits_pong:
            self.end(GONE)
            return
        self._awaits_pong = True
        self._protocol.send_ping(b"")
        self._send_protocol()

    def closing_data(self, why: End) -> bytes:
        """A close frame."""
        self._protocol.send_close(why.code, why.reason)
        return b"".join(self._protocol.data_to_send())

    def _finish(self) -> None:
        """The close frame is sent: close this side once the client has answered it."""
        if self._protocol.state is Phase.CLOSED or self._protocol.eof_sent:
            super()._finish()

    # Reading

    def received(self, data: bytes) -> None:
        """Take bytes of frames; they may begin and end anywhere."""
        self._awaits_pong = False
        self._protocol.receive_data(data)
        self._after_input()

    def hung_up(self) -> None:
        """The client closed without a closing handshake, or after it."""
        self.close()

    def _after_input(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and self.state is StreamState.OPEN:
                self._take(event)
        self._send_protocol()
        if self.state is StreamState.OPEN and self._protocol.state is not Phase.OPEN:
            # The client closes, or broke the protocol: a close frame was received or is being sent.
            self._begin_to_close()
        if self.state is StreamState.CLOSING and self._queue is None:
            self._finish()

    def _send_protocol(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data and self.state is not StreamState.CLOSED:
            self._put(data)

    def _take(self, event: Frame) -> None:
        if not self._allow():
            self.end(FLOOD)
        elif event.opcode is Opcode.BINARY:
            self.end(UNSUPPORTED)
        elif event.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts += bytes(event.data)
            if event.fin:
                message, self._parts = self._parts, b""
                self._on_message(self, message)

    def _allow(self) -> bool:
        now = time.monotonic()
        since, self._allowed_at = now - self._allowed_at, now
        self._allowance = min(BURST, self._allowance + since * PER_SECOND) - 1
        return self._allowance >= 0


def frame(data: bytes) -> bytes:
    """A text message as one WebSocket frame, unmasked as a server sends it (RFC 6455)."""
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def _frames(items: Sequence[Item]) -> bytes:
    return b"".join([frame(item.json) for item in items])

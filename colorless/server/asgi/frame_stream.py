"""An open WebSocket over a connection: messages in, frames out, pings, and the closing handshake.

The hub reads and takes frames apart, so a WebSocket that waits for its client holds no green
thread. Who sends waits green until the client has taken it. What the protocol itself has to say (a
pong, the answer to a close) is sent by a task; as long as that goes on, or the application leaves
messages unread, nothing more is read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent.lock import RLock
from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode, Opcode
from websockets.protocol import State

from colorless.compat.websockets import ServerProtocol
from colorless.server.asgi.messages import MessageError, MessageReader
from colorless.server.asgi.shared import Disconnected, Message
from colorless.server.engine.connection import READ_AHEAD, Connection
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow

# Messages that may wait for the application, besides the READ_AHEAD bytes; guessed.
MAX_WAITING = 32
# Seconds for which the client may take to answer a close; gunicorn's ASGI worker waits as long.
CLOSE_TIMEOUT = 5.0
# Pings: one whose answer is late, because much is on its way, is no reason to give a client up.
MAX_UNANSWERED = 2
# Bytes of a reason, which has to fit into a control frame with its code (RFC 6455, section 5.5).
MAX_REASON = 123
_LOST = Close(CloseCode.ABNORMAL_CLOSURE, "")
_DATA = (Opcode.CONT, Opcode.TEXT, Opcode.BINARY)


class FrameStream:
    """A WebSocket whose opening handshake is done.

    ``left`` is called in the hub when it is the client who ends it, or has gone.
    """

    def __init__(
        self,
        connection: Connection,
        protocol: ServerProtocol,
        loop: asyncio.AbstractEventLoop,
        left: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._loop = loop
        self._left = left
        self._reader = MessageReader()
        self._waiting: deque[Message] = deque()  # for the application
        self._waiting_bytes = 0
        self._news = asyncio.Event()  # something waits, or the end has come
        self._over = asyncio.Event()
        self._end = _LOST
        # A frame may have to wait in the middle, and another must not come between.
        self._writing = RLock()
        self._outgoing: list[bytes] = []
        self._flusher: asyncio.Task[None] | None = None
        self._paused = False
        self._unanswered = 0  # pings
        self._pulse: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Read, from what came with the handshake on."""
        self._schedule_beat()
        self._connection.watch(self)
        self.switch()

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent: neither side has begun to close."""
        return self._protocol.state is State.OPEN

    # What the application does

    async def receive(self) -> Message:
        """The client's next message, or ``websocket.disconnect``, as often as it is asked for."""
        while not self._waiting:
            if self._over.is_set():
                end = self._end
                return {"type": "websocket.disconnect", "code": int(end.code), "reason": end.reason}
            self._news.clear()
            await self._news.wait()
        message = self._waiting.popleft()
        self._waiting_bytes -= _size(message)
        if self._paused:
            self._read_on()
        return message

    def send(self, message: str | bytes) -> None:
        """Send a whole message, waiting green. Raises ``Disconnected`` if it cannot arrive."""
        if not self.is_open:
            raise Disconnected("the WebSocket is closed")
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Begin to close, unless that has begun. Raises ``ValueError`` for what cannot be sent."""
        if len(reason.encode()) > MAX_REASON:
            raise ValueError(f"the reason of a close has {MAX_REASON} bytes at most: {reason!r}")
        if not self.is_open:
            return
        try:
            self._protocol.send_close(code, reason)
        except ProtocolError as error:
            raise ValueError(f"no endpoint may close a WebSocket with the code {code}") from error
        assert self._pulse is not None
        self._pulse.cancel()
        self._farewell = self._loop.call_later(CLOSE_TIMEOUT, self._give_up)
        # Messages are for nobody any more, but the answer is to be read.
        self._read_on()
        self._flush()

    def fail(self, code: int, reason: str = "") -> None:
        """End it, with a close frame if none was sent, but without the client's answer to it.
        Raises ``Disconnected``."""
        if not self._over.is_set():
            self._protocol.fail(code, reason)
            self._finish(Close(code, reason), client_left=False)
        self._flush()

    async def wait_until_over(self) -> None:
        """Wait for the end of the closing handshake."""
        await self._over.wait()
        if self._flusher is not None:
            await asyncio.wait([self._flusher])

    # What happens in the hub

    def switch(self, _value: Any = None) -> None:
        """Called by the connection when something has come, or the client has gone."""
        connection = self._connection
        data, connection.buffer = connection.buffer, b""
        if data and not self._over.is_set():
            self._unanswered = 0
            self._protocol.receive_data(data)
            self._take(self._protocol.events_received())
            self._act()
        if connection.gone and not self._over.is_set():
            self._protocol.receive_eof()
            self._finish(_LOST)

    def _take(self, events: list[Any]) -> None:
        for event in events:
            if event.opcode not in _DATA or self._farewell is not None:
                continue
            try:
                message = self._reader.take(event)
            except MessageError as error:
                self._protocol.fail(error.code, str(error))
                return
            if message is not None:
                self._waiting.append(message)
                self._waiting_bytes += _size(message)
                self._news.set()

    def _beat(self) -> None:
        """A ping; a client that has sent nothing since the one before the last is gone."""
        if self._paused:
            self._unanswered = 0  # its answers are not read
        elif self._unanswered == MAX_UNANSWERED:
            self._protocol.fail(CloseCode.INTERNAL_ERROR, "no answer to a ping")
            self._act()
            return
        else:
            self._unanswered += 1
            self._protocol.send_ping(b"")
            self._act()
        self._schedule_beat()

    def _schedule_beat(self) -> None:
        seconds = self._connection.server.settings.limits.ping_interval
        self._pulse = self._loop.call_later(seconds, self._beat)

    def _give_up(self) -> None:
        self._finish(_LOST)
        self._protocol.fail(CloseCode.ABNORMAL_CLOSURE)
        self._act()

    def _act(self) -> None:
        """Do what the protocol wants done."""
        protocol = self._protocol
        self._outgoing += protocol.data_to_send()
        if self._outgoing and self._flusher is None:
            self._flusher = self._loop.create_task(self._flush_all())
        if protocol.eof_sent:
            self._finish(protocol.close_rcvd or protocol.close_sent or _LOST)
        self._read_on()

    def _read_on(self) -> None:
        """Read, unless too much waits for the application or for the client."""
        full = len(self._waiting) >= MAX_WAITING or self._waiting_bytes >= READ_AHEAD
        paused = self._flusher is not None or (full and self._farewell is None)
        if paused is self._paused or self._over.is_set():
            return
        self._paused = paused
        if paused:
            self._connection.pause()
        else:
            self._connection.watch(self)

    def _finish(self, end: Close, client_left: bool = True) -> None:
        if self._over.is_set():
            return
        self._end = end
        self._over.set()
        self._news.set()
        for timer in (self._pulse, self._farewell):
            if timer is not None:
                timer.cancel()
        if client_left and self._farewell is None:
            self._left()

    # Writing

    async def _flush_all(self) -> None:
        try:
            with suppress(Disconnected):
                while self._outgoing:
                    self._flush()
        finally:
            self._flusher = None
            self._read_on()

    def _flush(self) -> None:
        """Send what there is to send, waiting green. Raises ``Disconnected``."""
        with self._writing:
            self._outgoing += self._protocol.data_to_send()
            data, self._outgoing = b"".join(self._outgoing), []
            try:
                if data:
                    self._connection.transport.sendall(data)
            except (ClientDisconnected, ClientTooSlow) as error:
                self._lose()
                raise Disconnected(str(error)) from error
            except BaseException:
                # A part of a frame may be out: nothing can follow it.
                self._lose()
                raise
            if self._protocol.eof_sent and not self._outgoing:
                self._connection.linger()

    def _lose(self) -> None:
        self._protocol.receive_eof()
        self._protocol.data_to_send()
        self._finish(_LOST)
        self._connection.close()


def _size(message: Message) -> int:
    return len(message.get("text", "") or message.get("bytes", b""))

"""A WebSocket as an ASGI application sees it: asked for, accepted or refused, and closed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from websockets.frames import CloseCode

from colorless.server.asgi.frame_stream import FrameStream
from colorless.server.asgi.handshake import scope_of, shake_hands
from colorless.server.asgi.response import informational
from colorless.server.asgi.shared import Disconnected, Holder, Message
from colorless.server.engine.connection import READ_AHEAD

# Close codes, and reasons.
_CUT_OFF = CloseCode.SERVICE_RESTART, "the server restarts"
_FAILED = CloseCode.INTERNAL_ERROR, "the application failed"


class WebSocket:
    """The WebSocket that one request asks for."""

    def __init__(self, call: Holder) -> None:
        self._call = call
        self._scope = scope_of(call.head.scope)
        self._protocol, self._handshake = shake_hands(
            self._scope["headers"], call.service.cfg.websocket_max_message_size or None
        )
        self._connected = self._refused = False
        self._stream: FrameStream | None = None
        self._decided = asyncio.Event()  # accepted, refused, or nobody waits for it any more
        self._farewell: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Shake hands, and serve it to its end. Raises what the application raises."""
        call = self._call
        if self._handshake.status_code != 101 or not call.head.body.ended:
            self._refuse_handshake()
            return
        draining = call.connection.server.draining
        draining.rawlink(self._on_drain)
        call.connection.watch(self)
        self.switch()
        try:
            await call.service.application(self._scope, self.receive, self.send)
            await self._end()
        except BaseException as error:
            if self._stream is not None:
                cut_off = isinstance(error, asyncio.CancelledError) and draining.is_set()
                with suppress(Disconnected):
                    self._stream.fail(*(_CUT_OFF if cut_off else _FAILED))
            raise
        finally:
            draining.unlink(self._on_drain)

    def _refuse_handshake(self) -> None:
        response = self._handshake
        if response.status_code == 101:
            response = self._protocol.reject(400, "A WebSocket's request has no body.\n")
        self._call.response.headers_sent = True
        self._call.connection.transport.sendall(response.serialize())

    async def _end(self) -> None:
        """The application has returned."""
        if self._stream is not None:
            with suppress(Disconnected):
                self._stream.close(CloseCode.NORMAL_CLOSURE)
            await self._stream.wait_until_over()
        elif not (self._refused or self._decided.is_set()):
            raise RuntimeError("the application returned and had neither accepted nor refused")
        elif not (self._call.response.complete or self._decided.is_set()):
            raise RuntimeError("the application returned in the middle of its refusal")

    # What the application calls

    async def receive(self) -> Message:
        """ASGI's ``receive``."""
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        if self._stream is None:
            await self._decided.wait()
        if self._stream is None:
            return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        return await self._stream.receive()

    async def send(self, message: Message) -> None:
        """ASGI's ``send``. Waits, green, while the client does not take what was sent."""
        kind = message["type"]
        if self._stream is not None:
            self._send_open(self._stream, kind, message)
        elif kind == "websocket.accept" and not self._refused:
            self._accept(message)
        elif kind == "websocket.close" and not self._refused:
            self._refuse({"status": 403, "headers": [(b"content-length", b"0")]})
            self._send_refusal(b"", False)
        elif kind == "websocket.http.response.start" and not self._refused:
            self._refuse(message)
        elif kind == "websocket.http.response.body" and self._refused:
            self._send_refusal(message.get("body", b""), message.get("more_body", False))
        else:
            state = "refused" if self._refused else "not accepted"
            raise RuntimeError(f"the application sent {kind!r} for a WebSocket that is {state}")

    def _send_open(self, stream: FrameStream, kind: str, message: Message) -> None:
        if kind == "websocket.send":
            text = message.get("text")
            content = message.get("bytes") if text is None else text
            if content is None:
                raise ValueError("a websocket.send has 'text' or 'bytes'")
            stream.send(content)
        elif kind == "websocket.close":
            stream.close(message.get("code", 1000), message.get("reason") or "")
        else:
            raise RuntimeError(f"the application sent {kind!r} for a WebSocket that is accepted")

    def _accept(self, message: Message) -> None:
        fields: list[Any] = [*self._handshake.headers.raw_items(), *(message.get("headers") or ())]
        if message.get("subprotocol") is not None:
            fields.append((b"Sec-WebSocket-Protocol", message["subprotocol"]))
        call = self._call
        call.write(informational(101, fields))
        call.response.headers_sent = True
        self._stream = FrameStream(
            call.connection, self._protocol, call.service.loop, call.client_left
        )
        self._stream.begin()
        self._decided.set()
        if call.connection.server.draining.is_set():
            self._on_drain(None)

    def _refuse(self, start: Message) -> None:
        self._call.response.start(start["status"], start.get("headers", ()))
        self._refused = True

    def _send_refusal(self, body: bytes, more: bool) -> None:
        response = self._call.response
        data = response.piece(body, more)
        if not response.headers_sent:
            data = response.head(last=True) + data
        self._call.write(data)
        if not more:
            self._decided.set()
            self._call.release(False)

    # What happens in the hub

    def switch(self, _value: Any = None) -> None:
        """Called by the connection, before the accept, when something has come or the client has
        gone. What comes is kept for later."""
        connection = self._call.connection
        if connection.gone:
            self._decided.set()
        elif len(connection.buffer) >= READ_AHEAD:
            connection.pause()

    def _on_drain(self, _event: Any) -> None:
        if self._stream is not None:
            self._farewell = self._call.service.loop.create_task(self._say_goodbye(self._stream))

    async def _say_goodbye(self, stream: FrameStream) -> None:
        with suppress(Disconnected):
            stream.close(*_CUT_OFF)

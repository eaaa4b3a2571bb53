"""A WebSocket: gunicorn's protocol (RFC 6455) over a connection of this worker."""

from __future__ import annotations

from typing import Any

from gevent.lock import RLock
from gunicorn.asgi.protocol import _valid_websocket_key
from gunicorn.asgi.websocket import WebSocketDisconnected, WebSocketProtocol

from colorless.server.asgi.response import Response
from colorless.server.asgi.shared import Holder
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow

# RFC 6455, section 7.4.2, and IANA's registry: the server restarts.
_SERVICE_RESTART = 1012


class WebSocket(WebSocketProtocol):
    """The WebSocket that one request asks for."""

    def __init__(self, call: Holder) -> None:
        service, scope = call.service, call.head.scope
        self._call = call
        self._response = Response("GET", 1)  # the one that refuses it, if one does
        super().__init__(
            Wire(call, self),
            _scope_of(scope),
            service.application,
            service.log,
            max_message_size=service.cfg.websocket_max_message_size,
        )

    async def serve(self) -> None:
        """Shake hands, and serve it to its end."""
        if refusal := _refusal(dict(self.scope["headers"])):
            self._refuse(*refusal)
            return
        draining = self._call.connection.server.draining
        draining.rawlink(self._say_goodbye)
        self._call.connection.watch(self.transport)
        self.transport.switch()
        try:
            await self.run()
        except WebSocketDisconnected:
            self.log.debug("WebSocket closed while it was being closed")
        finally:
            draining.unlink(self._say_goodbye)

    def _refuse(self, status: int, fields: list[tuple[bytes, bytes]]) -> None:
        self._response.start(status, [*fields, (b"content-length", b"0")])
        self._call.connection.transport.sendall(self._response.head(last=True))

    def _say_goodbye(self, _event: Any) -> None:
        loop = self._call.service.loop
        loop.create_task(self._send_goodbye())

    async def _send_goodbye(self) -> None:
        try:
            if self.accepted:
                await self._send_close(_SERVICE_RESTART, "the server restarts")
        except WebSocketDisconnected:
            self.log.debug("WebSocket closed before it was said goodbye to")

    async def _send(self, message: dict[str, Any]) -> None:
        """ASGI's ``send``: gunicorn's, and the extension that refuses with a response."""
        kind = message["type"]
        if kind.startswith("websocket.http.response."):
            if self.accepted:
                raise RuntimeError("the application refused a WebSocket that it had accepted")
            self._send_refusal(kind, message)
        else:
            await super()._send(message)

    def _send_refusal(self, kind: str, message: dict[str, Any]) -> None:
        response = self._response
        if kind == "websocket.http.response.start":
            response.start(message["status"], message.get("headers", ()))
            return
        more = message.get("more_body", False)
        data = response.piece(message.get("body", b""), more)
        if not response.headers_sent:
            data = response.head(last=True) + data
        self._denied = self.closed = True
        self.transport.write(data)
        if not more:
            self._close_event.set()
            self.transport.close()

    def _unmask(self, payload: bytes, masking_key: bytes) -> bytes:
        """As gunicorn's, at once instead of byte by byte."""
        size = len(payload)
        mask = (masking_key * (size // 4 + 1))[:size]
        masked = int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")
        return masked.to_bytes(size, "little")


class Wire:
    """What gunicorn's protocol takes for a transport, and a connection for its reader."""

    def __init__(self, call: Holder, websocket: WebSocket) -> None:
        self._call = call
        self._websocket = websocket
        # A frame may have to wait in the middle, and another must not come between.
        self._writing = RLock()

    def write(self, data: bytes) -> None:
        """Send all of ``data``, waiting green. Raises ``WebSocketDisconnected``."""
        if not self._call.has_connection:
            raise WebSocketDisconnected("WebSocket closed")
        try:
            with self._writing:
                self._call.connection.transport.sendall(data)
        except (ClientDisconnected, ClientTooSlow) as error:
            self._websocket.closed = True
            self._websocket.feed_eof()
            raise WebSocketDisconnected(str(error)) from error

    def close(self) -> None:
        """End the connection; what the application does then, it does without it."""
        self._websocket.feed_eof()
        self._call.release(False)

    def pause_reading(self) -> None:
        """Read nothing more for now."""
        self._call.connection.pause()

    def resume_reading(self) -> None:
        """Read on."""
        if self._call.has_connection:
            self._call.connection.watch(self)

    def switch(self, _value: Any = None) -> None:
        """Called by the connection when something has come, or the client has gone."""
        connection = self._call.connection
        data, connection.buffer = connection.buffer, b""
        self._websocket.feed_data(data)
        if connection.gone:
            self._websocket.feed_eof()


def _scope_of(scope: dict[str, Any]) -> dict[str, Any]:
    """A WebSocket's scope, from that of the request for it."""
    del scope["method"]
    offered = b",".join(v for name, v in scope["headers"] if name == b"sec-websocket-protocol")
    return {
        **scope,
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "subprotocols": [part.strip() for part in offered.decode("latin-1").split(",") if part],
        "extensions": {"websocket.http.response": {}},
    }


def _refusal(headers: dict[bytes, bytes]) -> tuple[int, list[tuple[bytes, bytes]]] | None:
    """Status and fields for a request that is no opening handshake (RFC 6455, section 4.2)."""
    if headers.get(b"sec-websocket-version") != b"13":
        return 426, [(b"sec-websocket-version", b"13")]
    key = headers.get(b"sec-websocket-key", b"")
    return None if _valid_websocket_key(key.decode("latin-1")) else (400, [])

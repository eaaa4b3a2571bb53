"""The opening handshake of a WebSocket (RFC 6455, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.protocol import State

from colorless.compat.websockets import ServerProtocol

# What of a request is the handshake's; the rest is the application's.
_OURS = (b"connection", b"upgrade")
_PREFIX = b"sec-websocket-"
_VERSION = b"13"

# No compressor is kept from one message to the next: a WebSocket that is idle, as most are, would
# hold some 64 KiB for it. Window and memory level are those that websockets has measured.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=12,
    client_max_window_bits=12,
    compress_settings={"memLevel": 5},
)


def shake_hands(
    fields: Sequence[tuple[bytes, bytes]], max_size: int | None
) -> tuple[ServerProtocol, Response]:
    """The protocol for the request with these fields, and the response to it: 101, or what is
    wrong with the request. A message may have ``max_size`` bytes, unpacked."""
    protocol = ServerProtocol(extensions=[_DEFLATE], max_size=max_size, state=State.OPEN)
    ours = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in fields
        if name in _OURS or name.startswith(_PREFIX)
    ]
    response = protocol.accept(Request("/", Headers(ours)))
    if response.status_code != 101 and dict(fields).get(b"sec-websocket-version") != _VERSION:
        response = protocol.reject(
            426, "This server speaks version 13 of the WebSocket protocol.\n"
        )
        response.headers["Sec-WebSocket-Version"] = _VERSION.decode()
    return protocol, response


def scope_of(scope: dict[str, Any]) -> dict[str, Any]:
    """A WebSocket's scope, from that of the request for it."""
    offered = b",".join(v for name, v in scope["headers"] if name == b"sec-websocket-protocol")
    return {
        **{key: value for key, value in scope.items() if key != "method"},
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "subprotocols": [part.strip() for part in offered.decode("latin-1").split(",") if part],
        "extensions": {"websocket.http.response": {}},
    }

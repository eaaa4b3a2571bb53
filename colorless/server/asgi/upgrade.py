"""What a request for a WebSocket is served by, if anything."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from colorless.extras import needs_extra

if TYPE_CHECKING:
    from colorless.server.asgi.websocket import WebSocket


@cache
def websocket_class(log: Any) -> type[WebSocket] | None:
    """:class:`WebSocket`, where ``websockets`` is installed.

    Otherwise ``None``, and once a line in ``log``: the request is answered as one that asks for
    nothing special (RFC 9110, section 7.8).
    """
    try:
        with needs_extra("A WebSocket", "websocket"):
            from colorless.server.asgi.websocket import WebSocket
    except ModuleNotFoundError as error:
        log.warning("%s. Requests for one are answered as ordinary requests.", error)
        return None
    return WebSocket

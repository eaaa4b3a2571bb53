"""An ASGI application in the place of one that cannot be imported, while its author mends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


class Unloadable:
    """Answers each request with what is wrong."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The application."""
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            body = f"Application error: {self._reason}".encode()
            await send({"type": "http.response.body", "body": body})

"""What the suite wants to talk to."""

from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Sends each message back."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

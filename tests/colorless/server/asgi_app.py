"""The ASGI application that gunicorn serves in the tests with real processes."""

import asyncio
import json
import os
import sys
import time
from typing import Any

from tests.colorless.server.asgi_inside import answer, body_of


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers by path; waits by blocking, in a coroutine."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
        return
    if scope["type"] == "websocket":
        await websocket(receive, send)
        return
    if scope["path"] == "/slow":
        time.sleep(float(scope["query_string"]))
    length = len(await body_of(receive) or b"")
    told = {key: scope[key] for key in ("scheme", "client", "server", "state")}
    await answer(send, json.dumps({**told, "length": length, "pid": os.getpid()}).encode())


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Leaves a note in the state, and one in the log at the end."""
    await receive()
    if os.environ.get("FAILS"):
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        return
    scope["state"]["started"] = True
    forgotten = asyncio.create_task(asyncio.sleep(1000))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("lifespan ended", file=sys.stderr, flush=True)
    await send({"type": "lifespan.shutdown.complete"})
    await forgotten


async def websocket(receive: Any, send: Any) -> None:
    """Listens until the client or the server ends it, and tells the log why."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
    print(f"websocket ended: {message['code']}", file=sys.stderr, flush=True)

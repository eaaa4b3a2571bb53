"""Async-only libraries from plain code: wait for a coroutine, iterate, enter.

    reply = await_(client.request("time", b""))
    for message in iterate(subscription.messages):
        ...
    with entered(httpx.AsyncClient()) as client:
        page = await_(client.get(url))

Only the calling green thread waits. Long-lived clients live on one event loop per process, which
starts with the first call (so after a fork) and runs in the background. Code that a coroutine
called uses that coroutine's loop instead.

The layers, each importing only those above it:

    shared     the loop that plain code talks to
    call       await_
    iterators  iterate
    managers   entered
"""

from colorless.bridge.call import await_
from colorless.bridge.iterators import iterate
from colorless.bridge.managers import entered

__all__ = ["await_", "entered", "iterate"]

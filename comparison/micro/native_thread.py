"""The contender of the bridge benchmark: an event loop (uvloop) on one native thread.

The best of the designs in which asyncio does not run on the hub: two queues, one wake-up of
either side per burst, a gevent ``Waiter`` for who waits. Bare bones: results and errors, but no
cancellation, deadlines or context variables, all of which would only make it dearer.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

import gevent
import uvloop
from gevent import monkey
from gevent.hub import Waiter


class NativeThread:
    """Starts the thread; :meth:`await_` waits green for a coroutine that runs there."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._requests: deque[tuple[Coroutine[Any, Any, Any], Waiter]] = deque()
        self._answers: deque[tuple[Waiter, asyncio.Task[Any]]] = deque()
        self._woken = self._answered = False
        self._watcher = self._hub.loop.async_()
        self._watcher.start(self._deliver)
        self._loop = uvloop.new_event_loop()
        monkey.get_original("_thread", "start_new_thread")(self._run, ())

    def _run(self) -> None:
        asyncio._set_running_loop(None)
        self._loop.run_forever()

    def await_(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of ``coroutine``."""
        waiter = Waiter(self._hub)
        self._requests.append((coroutine, waiter))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._accept)
        return waiter.get().result()

    def _accept(self) -> None:
        self._woken = False
        while self._requests:
            coroutine, waiter = self._requests.popleft()
            task = self._loop.create_task(coroutine)
            task.add_done_callback(lambda task, waiter=waiter: self._answer(waiter, task))  # type: ignore[misc]

    def _answer(self, waiter: Waiter, task: asyncio.Task[Any]) -> None:
        self._answers.append((waiter, task))
        if not self._answered:
            self._answered = True
            self._watcher.send()

    def _deliver(self) -> None:
        self._answered = False
        while self._answers:
            waiter, task = self._answers.popleft()
            waiter.switch(task)

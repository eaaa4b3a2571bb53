"""A bounded queue of notices, and the green thread that sends them while there are any."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import gevent
import structlog

from service.backoff import Backoff
from service.chat.fanout.notices import LogGrew, Notice

log = structlog.get_logger("service.fanout")

# Notices; guessed. What is dropped beyond that is found by the position checks.
MAX_QUEUED = 10_000
# Seconds in which notices are collected into one message; guessed: below what a person notices.
WINDOW = 0.005


class Outgoing:
    """Keeps at most :data:`MAX_QUEUED` notices, and of those about one room's log the newest.

    ``send`` may wait, and may raise one of ``failures``: the notices it was given are lost then,
    and the position checks of the other processes find what they were about. ``dropped`` counts
    the notices that did not fit into the queue.
    """

    def __init__(
        self, send: Callable[[list[Notice]], None], failures: tuple[type[Exception], ...]
    ) -> None:
        self._send = send
        self._failures = failures
        self._waiting: dict[Hashable, Notice] = {}
        self._task: gevent.Greenlet | None = None
        self._backoff = Backoff()
        self.dropped = 0

    def add(self, notice: Notice) -> None:
        """Send the notice soon, with others of the next milliseconds. Never waits."""
        key = ("room", notice.room_id) if isinstance(notice, LogGrew) else notice
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= MAX_QUEUED:
            self.dropped += 1
            return
        if isinstance(before, LogGrew) and isinstance(notice, LogGrew):
            notice = max(before, notice, key=lambda hint: hint.seq)
        self._waiting[key] = notice
        if self._task is None:
            # Not go(): it must not inherit the deadline of the request that happens to be first.
            self._task = gevent.spawn(self._run)

    def stop(self) -> None:
        """Forget the queue."""
        if self._task is not None:
            self._task.kill()

    def _run(self) -> None:
        try:
            while self._waiting:
                gevent.sleep(WINDOW)
                taken, self._waiting = list(self._waiting.values()), {}
                try:
                    self._send(taken)
                    self._backoff.reset()
                except self._failures as error:
                    log.warning("notices were lost", count=len(taken), error=repr(error))
                    gevent.sleep(self._backoff.delay())
        finally:
            self._task = None

"""Notices that wait to be sent, and the green thread that sends them while there are any."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import gevent
import structlog

from service.backoff import Backoff
from service.chat.fanout.notices import LogGrew, Notice

log = structlog.get_logger("service.fanout")

# Guessed: more rooms than change in any outage that the position check does not repair anyway.
MOST = 10_000
# Seconds; guessed: below what a person notices, and it turns a burst into one message.
WINDOW = 0.005


class Outgoing:
    """A queue that drops rather than grows, and of one room's hints keeps the newest.

    ``send`` may wait, and may raise one of ``failures``: then what it was given is lost, and the
    position checks of the other processes find out. ``dropped`` counts what did not fit.
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
        """Send it soon, with what else comes in the next milliseconds. Never waits."""
        key = ("room", notice.room_id) if isinstance(notice, LogGrew) else notice
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= MOST:
            self.dropped += 1
            return
        if isinstance(before, LogGrew) and isinstance(notice, LogGrew):
            notice = max(before, notice, key=lambda hint: hint.seq)
        self._waiting[key] = notice
        if self._task is None:
            # Not go(): it must not inherit the deadline of the request that happens to be first.
            self._task = gevent.spawn(self._run)

    def stop(self) -> None:
        """Forget what waits."""
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

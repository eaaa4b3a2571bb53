"""Notices that wait to be sent: bounded, and of one room's hints only the newest."""

from __future__ import annotations

from collections.abc import Hashable

from service.chat.notices import Happened, Notice

# Guessed: more rooms than change in any outage that the position check does not repair anyway.
MOST = 10_000


class Outgoing:
    """A queue that drops rather than grows. ``dropped`` counts what it dropped."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Notice] = {}
        self.dropped = 0

    def add(self, notice: Notice) -> None:
        """Never waits."""
        key = ("e", notice.room_id) if isinstance(notice, Happened) else notice
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= MOST:
            self.dropped += 1
            return
        if isinstance(before, Happened) and isinstance(notice, Happened):
            notice = max(before, notice, key=lambda hint: hint.seq)
        self._waiting[key] = notice

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self) -> list[Notice]:
        """All that waits."""
        taken, self._waiting = list(self._waiting.values()), {}
        return taken

"""Compares this process with the database every few seconds, in case a notice was lost.

What is compared: how far each room's log has come, which user is in which room, which sessions are
still valid. While the fan-out is disconnected that happens every second, so that streams go on
without it.
"""

from __future__ import annotations

import gevent
import psycopg2
import structlog

from service.chat.live.manager import StreamManager
from service.chat.live.stream import REVOKED
from service.chat.store import events, users

log = structlog.get_logger("service.live")

# Seconds between checks while no notices come in; guessed: slow for a chat, cheap for a database.
WITHOUT_NOTICES = 1.0


class Reconciler:
    """Runs the checks of one process, ``every`` so many seconds."""

    def __init__(self, manager: StreamManager, every: float) -> None:
        self._manager = manager
        self._every = every

    def run(self) -> None:
        """Check until killed."""
        while True:
            connected = self._manager.fanout.connected
            gevent.sleep(self._every if connected else min(self._every, WITHOUT_NOTICES))
            try:
                self.check()
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot check the streams; trying again", error=repr(error))

    def check(self) -> None:
        """Compare everything, once."""
        self._manager.check()
        self._check_rooms_of_users()
        self._check_sessions()

    def _check_rooms_of_users(self) -> None:
        subscribers = dict(self._manager.registry.subscribers)
        with self._manager.db.connection() as db:
            current = events.rooms_of_members(db, subscribers)
        for user_id, subscriber in subscribers.items():
            if not current.get(user_id, set()) <= set(subscriber.feeds):
                self._manager.refresh(subscriber)

    def _check_sessions(self) -> None:
        streams = self._manager.registry.streams()
        with self._manager.db.connection() as db:
            valid = users.valid_sessions(db, {stream.session for stream in streams})
        for stream in streams:
            if stream.session not in valid:
                stream.end(REVOKED)

"""What finds and repairs the consequences of a notice that was lost.

Every few seconds a process compares what it believes with the database: how far each room has
come, who is in which room, which sessions are still good. While the fan-out is away it does so
every second, which is how streams go on without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent
import psycopg2
import structlog

from service.chat.live.stream import REVOKED
from service.chat.store import events, users

if TYPE_CHECKING:
    from service.chat.live.hub import Hub

log = structlog.get_logger("service.live")

# Seconds between checks while no notices come in; guessed: slow for a chat, cheap for a database.
WITHOUT_NOTICES = 1.0


class Care:
    """Runs the checks of one process."""

    def __init__(self, hub: Hub, every: float) -> None:
        self._hub = hub
        self._every = every

    def run(self) -> None:
        """Check for ever."""
        while True:
            connected = self._hub.fanout.connected
            gevent.sleep(self._every if connected else min(self._every, WITHOUT_NOTICES))
            try:
                self.check()
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot check the streams; trying again", error=repr(error))

    def check(self) -> None:
        """One look at everything."""
        self._hub.check()
        self._check_rooms_of_users()
        self._check_sessions()

    def _check_rooms_of_users(self) -> None:
        audiences = dict(self._hub.audiences)
        with self._hub.db.connection() as db:
            missing = events.rooms_of_members(db, audiences)
        for user_id, audience in audiences.items():
            if not missing.get(user_id, set()) <= set(audience.feeds):
                self._hub.refresh(audience)

    def _check_sessions(self) -> None:
        streams = self._hub.streams()
        with self._hub.db.connection() as db:
            valid = users.valid_sessions(db, {stream.session for stream in streams})
        for stream in streams:
            if stream.session not in valid:
                stream.end(REVOKED)

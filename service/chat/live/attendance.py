"""Who is there: leases in the database, so that a process that dies takes nobody along for long.

Coming and going is looked at once a second, so that a page that reloads does neither, and in
statements about many users at once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

import gevent
import psycopg2
import structlog

from service.chat.notices import Presence
from service.chat.store import events
from service.chat.store import presence as store

if TYPE_CHECKING:
    from service.chat.live.hub import Hub

log = structlog.get_logger("service.live")

# Seconds. A lease outlives two renewals that fail; who reconnects within the grace was never
# away. All guessed.
LEASE, RENEW_EVERY, GRACE, LOOK_EVERY = 60.0, 20.0, 5.0, 1.0


class Attendance:
    """Keeps the leases of one process."""

    def __init__(
        self, hub: Hub, *, lease: float = LEASE, grace: float = GRACE, every: float = LOOK_EVERY
    ) -> None:
        self._hub = hub
        self._lease = lease
        self._grace = grace
        self._every = every
        self._process = uuid.uuid4()
        self._seen: dict[int, float] = {}  # when each user with a lease was here last
        self._renewed = 0.0

    def run(self) -> None:
        """Look for ever."""
        while True:
            gevent.sleep(self._every)
            try:
                self.look()
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot tell who is there; trying again", error=repr(error))

    def look(self) -> None:
        """See who came, who went, and whose lease is due."""
        now = time.monotonic()
        here = set(self._hub.audiences)
        came = here - self._seen.keys()
        went = [
            user_id
            for user_id, seen in self._seen.items()
            if user_id not in here and now - seen > self._grace
        ]
        if now - self._renewed > self._lease * RENEW_EVERY / LEASE:
            self._renew(here)
            self._renewed = now
        elif came:
            self._renew(came)
        if went:
            self._leave(went)
        self._seen.update(dict.fromkeys(here, now))

    def _renew(self, user_ids: Collection[int]) -> None:
        with self._hub.db.connection() as db:
            fresh = store.renew(db, self._process, user_ids, self._lease) if user_ids else []
            gone = store.expire(db)
        for user_id in fresh:
            audience = self._hub.audiences.get(user_id)
            if audience is not None:
                self._hub.tell(Presence(user_id, True, tuple(audience.feeds)))
        self._tell_gone(gone)

    def _leave(self, user_ids: Collection[int]) -> None:
        with self._hub.db.connection() as db:
            gone = store.leave(db, self._process, user_ids)
        for user_id in user_ids:
            del self._seen[user_id]
        self._tell_gone(gone)

    def _tell_gone(self, user_ids: Collection[int]) -> None:
        if not user_ids:
            return
        with self._hub.db.connection() as db:
            rooms = events.rooms_of_members(db, user_ids)
        for user_id in user_ids:
            self._hub.tell(Presence(user_id, False, tuple(rooms.get(user_id, ()))))

"""Which users are online: a lease in the database for each user and process.

A process renews the leases of the users whose streams it has. When it dies, its leases run out, so
its users are not shown as online for long. Who came and who went is looked up once a second, in
statements about many users at once; a user who reconnects within the grace was never offline.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection

import gevent
import psycopg2
import structlog

from service.chat.fanout.notices import Presence
from service.chat.live.manager import StreamManager
from service.chat.store import events
from service.chat.store import presence as store

log = structlog.get_logger("service.live")

# Seconds; all guessed. A lease outlives two renewals that fail.
LEASE, RENEW_EVERY, GRACE, CHECK_EVERY = 60.0, 20.0, 5.0, 1.0


class PresenceLeases:
    """Takes, renews and ends the leases of one process. ``lease``, ``grace`` and ``every`` are in
    seconds."""

    def __init__(
        self,
        manager: StreamManager,
        *,
        lease: float = LEASE,
        grace: float = GRACE,
        every: float = CHECK_EVERY,
    ) -> None:
        self._manager = manager
        self._lease = lease
        self._grace = grace
        self._every = every
        self._process = uuid.uuid4()
        self._seen: dict[int, float] = {}  # when each user with a lease last had a stream here
        self._renewed = 0.0

    def run(self) -> None:
        """Update the leases until killed."""
        while True:
            gevent.sleep(self._every)
            try:
                self.update()
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot update presence; trying again", error=repr(error))

    def update(self) -> None:
        """Take leases for users who came, end those of users who went, renew those that are due."""
        now = time.monotonic()
        here = set(self._manager.registry.subscribers)
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
            self._end(went)
        self._seen.update(dict.fromkeys(here, now))

    def _renew(self, user_ids: Collection[int]) -> None:
        with self._manager.db.connection() as db:
            fresh = store.renew(db, self._process, user_ids, self._lease) if user_ids else []
            gone = store.expire(db)
        for user_id in fresh:
            subscriber = self._manager.registry.subscribers.get(user_id)
            if subscriber is not None:
                self._manager.tell(Presence(user_id, True, tuple(subscriber.feeds)))
        self._tell_gone(gone)

    def _end(self, user_ids: Collection[int]) -> None:
        with self._manager.db.connection() as db:
            gone = store.leave(db, self._process, user_ids)
        for user_id in user_ids:
            del self._seen[user_id]
        self._tell_gone(gone)

    def _tell_gone(self, user_ids: Collection[int]) -> None:
        if not user_ids:
            return
        with self._manager.db.connection() as db:
            rooms = events.rooms_of_members(db, user_ids)
        for user_id in user_ids:
            self._manager.tell(Presence(user_id, False, tuple(rooms.get(user_id, ()))))

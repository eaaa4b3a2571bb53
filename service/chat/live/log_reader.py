"""Reads the logs of the rooms that somebody here gets, once for all, and hands their events out.

The order of a room's log is the order of its commits, and one green thread reads it in that order,
so every stream gets the same events in the same order. A user who leaves a room gets the event that
says so and nothing after it, however late this process hears of it: leaving is an event of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import gevent
import psycopg2
import structlog
from gevent.event import Event as Signal

from colorless.postgres import Pool
from service.chat import events
from service.chat.events import Event
from service.chat.live.batch import up_to_changes_of_members
from service.chat.live.registry import StreamRegistry
from service.chat.live.room_feed import RoomFeed
from service.chat.live.stream import TRY_AGAIN
from service.chat.live.subscriber import Subscriber
from service.chat.store import events as store

log = structlog.get_logger("service.live")

# Events of one room that are read at once; guessed.
_CHUNK = 200
# Subscribers whose streams are written to before other green threads run: a write takes about
# 8 µs, nearly all of it in the kernel (measured).
_SLICE = 200
# Seconds to wait after a query that failed; guessed.
_PAUSE = 0.5


class LogReader:
    """Reads for the feeds of one registry."""

    def __init__(self, db: Pool, registry: StreamRegistry) -> None:
        self._db = db
        self._registry = registry
        self._behind: set[RoomFeed[Subscriber]] = set()
        self._something_to_read = Signal()
        self._has_read = Signal()

    def hint(self, feed: RoomFeed[Subscriber], seq: int) -> None:
        """The room's log has an event ``seq``. Never waits."""
        feed.log_end = max(feed.log_end, seq)
        if feed.behind:
            self._behind.add(feed)
            self._something_to_read.set()

    def wait(self) -> None:
        """Wait until something more has been read."""
        self._has_read.clear()
        self._has_read.wait()

    def run(self) -> None:
        """Read until killed."""
        while True:
            self._something_to_read.wait()
            self._something_to_read.clear()
            behind, self._behind = self._behind, set()
            try:
                self._read(behind)
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot read the rooms' logs; trying again", error=repr(error))
                self._behind |= behind
                gevent.sleep(_PAUSE)
            except Exception:
                # It is not known which streams got which events; their clients know, and resume.
                log.exception("all streams are ended by an unexpected error")
                for stream in self._registry.streams():
                    stream.end(TRY_AGAIN)
            self._has_read.set()
            if self._behind:
                self._something_to_read.set()

    def _read(self, behind: set[RoomFeed[Subscriber]]) -> None:
        log_ends = {feed: feed.log_end for feed in behind}
        with self._db.connection() as db:
            found = events.read(db, {feed.room_id: feed.position for feed in behind}, _CHUNK)
            by_room: dict[int, list[Event]] = {}
            for event in found:
                by_room.setdefault(event.room_id, []).append(event)
            silent = [feed.room_id for feed in behind if feed.room_id not in by_room]
            there = store.positions(db, silent) if silent else {}
        for feed in behind:
            if feed.room_id in by_room:
                self._hand_out(feed, by_room[feed.room_id])
            elif feed.room_id not in there:
                self._registry.drop(feed)
            elif feed.log_end == log_ends[feed] and there[feed.room_id] <= feed.position:
                feed.log_end = feed.position  # the hint named an event that is not there
            if feed.behind and feed.subscribers:
                self._behind.add(feed)

    def _hand_out(self, feed: RoomFeed[Subscriber], found: Sequence[Event]) -> None:
        with self._registry.delivery:
            for part in up_to_changes_of_members(found):
                batch = feed.advance(part)
                subscribers = iter(tuple(feed.subscribers))
                while some := tuple(islice(subscribers, _SLICE)):
                    for subscriber in some:
                        subscriber.deliver(batch)
                    if len(some) == _SLICE:
                        gevent.sleep(0)
                self._apply(feed, part[-1])
            successor = self._registry.feeds.get(feed.room_id)
            if successor is not None and successor is not feed:
                # The last subscriber left and came back within what was read.
                self.hint(successor, feed.position)

    def _apply(self, feed: RoomFeed[Subscriber], event: Event) -> None:
        subscriber = self._registry.subscribers.get(event.user.id) if event.user else None
        if subscriber is None:
            return
        if event.type == "member.left":
            subscriber.left[feed.room_id] = event.seq
            self._registry.leave(subscriber, feed)
        elif event.type == "member.joined" and feed.room_id not in subscriber.feeds:
            self._registry.enter(subscriber, feed.room_id, feed.position)

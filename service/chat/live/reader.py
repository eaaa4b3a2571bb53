"""Reads the logs of the rooms that somebody here listens to, once for all, and hands them out.

The order of a room's log is the order of its commits, and one green thread reads it in that order,
so every stream gets the same events in the same order. Who leaves a room gets the event that says
so and nothing behind it, however late the process hears of it: leaving has its place in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import gevent
import psycopg2
import structlog
from gevent.event import Event as Signal

from service.chat import events
from service.chat.events import Event
from service.chat.live.batch import up_to_changes_of_members
from service.chat.live.feed import Feed
from service.chat.live.stream import TRY_AGAIN
from service.chat.store import events as store

if TYPE_CHECKING:
    from service.chat.live.hub import Hub

log = structlog.get_logger("service.live")

# Events of one room that are read at once; guessed.
_CHUNK = 200
# Streams that are written to before others get a turn: a write takes about 8 µs, nearly all of it
# in the kernel (measured).
_SLICE = 200
# Seconds after a query that failed; guessed.
_PAUSE = 0.5


class Reader:
    """Reads for one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._behind: set[Feed] = set()
        self._something_to_read = Signal()
        self._has_read = Signal()

    def hint(self, feed: Feed, seq: int) -> None:
        """The room's log goes to ``seq`` at least. Never waits."""
        feed.hinted = max(feed.hinted, seq)
        if feed.behind:
            self._behind.add(feed)
            self._something_to_read.set()

    def wait(self) -> None:
        """Wait until something more has been read."""
        self._has_read.clear()
        self._has_read.wait()

    def run(self) -> None:
        """Read for ever."""
        while True:
            self._something_to_read.wait()
            self._something_to_read.clear()
            behind, self._behind = self._behind, set()
            try:
                self._read(behind)
            except (psycopg2.Error, OSError) as error:
                log.warning("cannot read what happened; trying again", error=repr(error))
                self._behind |= behind
                gevent.sleep(_PAUSE)
            except Exception:
                # Nobody knows who got what. They do: all of them resume.
                log.exception("streams are cut off by an error that nobody foresaw")
                for stream in self._hub.streams():
                    stream.end(TRY_AGAIN)
            self._has_read.set()
            if self._behind:
                self._something_to_read.set()

    def _read(self, behind: set[Feed]) -> None:
        hinted = {feed: feed.hinted for feed in behind}
        with self._hub.db.connection() as db:
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
                self._hub.drop(feed)
            elif feed.hinted == hinted[feed] and there[feed.room_id] <= feed.position:
                feed.hinted = feed.position  # the hint promised too much
            if feed.behind and feed.audiences:
                self._behind.add(feed)

    def _hand_out(self, feed: Feed, found: Sequence[Event]) -> None:
        with self._hub.still:
            for part in up_to_changes_of_members(found):
                batch = feed.advance(part)
                audiences = iter(tuple(feed.audiences))
                while some := tuple(islice(audiences, _SLICE)):
                    for audience in some:
                        audience.deliver(batch)
                    if len(some) == _SLICE:
                        gevent.sleep(0)
                self._apply(feed, part[-1])
            heir = self._hub.feeds.get(feed.room_id)
            if heir is not None and heir is not feed:
                # The last listener left and came back within what was read.
                self.hint(heir, feed.position)

    def _apply(self, feed: Feed, event: Event) -> None:
        audience = self._hub.audiences.get(event.user.id) if event.user else None
        if audience is None:
            return
        if event.type == "member.left":
            audience.left[feed.room_id] = event.seq
            self._hub.leave(audience, feed)
        elif event.type == "member.joined" and feed.room_id not in audience.feeds:
            self._hub.enter(audience, feed.room_id, feed.position)

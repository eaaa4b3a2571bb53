"""Who listens to what in one process: streams and rooms come and go here, and notices come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import gevent
import psycopg2
import structlog
from gevent.lock import RLock

from colorless.postgres import Pool
from service.chat import events
from service.chat.events import Added, Removed
from service.chat.fanout import Fanout
from service.chat.live import moments, resume
from service.chat.live.audience import Audience
from service.chat.live.batch import Batch, Item
from service.chat.live.feed import Feed
from service.chat.live.reader import Reader
from service.chat.live.stream import REVOKED, TRY_AGAIN, Stream
from service.chat.notices import Happened, Joined, Notice, Revoked, Typing
from service.chat.store import events as store

log = structlog.get_logger("service.live")

_CHUNK = 200  # events of one room that are read at once; guessed
# Streams that are written to before others get a turn; a write takes about 5 µs (measured).
_SLICE = 200
_PAUSE = 0.5  # seconds after a query that failed; guessed


class Hub:
    """All that is live in one process. Starts its green threads when the first stream comes."""

    def __init__(self, db: Pool, fanout: Fanout, *, resume_events: int) -> None:
        self.db = db
        self.fanout = fanout
        self.feeds: dict[int, Feed] = {}
        self.audiences: dict[int, Audience] = {}
        self._resume_events = resume_events
        self._reader = Reader(self)
        # Held while a room's events are handed out, and by whoever needs every stream of the
        # process to be where its feeds say it is.
        self.still = RLock()
        self._typists = moments.Typists()
        self._tasks: list[gevent.Greenlet] = []
        self.tasks: list[Callable[[], None]] = []  # what else runs once there are streams

    # What the use cases call

    def announce(self, room_id: int, seq: int) -> None:
        """A room's log has come to ``seq``, and it is committed. Never waits."""
        self.tell(Happened(room_id, seq))

    def tell(self, notice: Notice) -> None:
        """Let every process know. Never waits, and raises nothing: what it tells is done already,
        so its caller has succeeded, and who misses it here finds it at the next check."""
        if isinstance(notice, Typing) and not self._typists.is_news(notice):
            return
        try:
            self.receive([notice])
            self.fanout.publish(notice)
        except Exception as error:
            log.exception("a notice was lost", notice=repr(notice), error=repr(error))

    # What the streams call

    def open(self, stream: Stream, user_id: int, wanted: Mapping[int, int]) -> None:
        """Begin: say where the stream starts, send what it missed, then all that happens.

        ``wanted`` is where the client was in each room. Waits until the client is live, or gone.
        """
        self._start()
        audience = self.audiences.setdefault(user_id, Audience(user_id))
        audience.opening += 1
        try:
            self.refresh(audience)
            with self.still:
                if not stream.is_open:
                    return
                plan = resume.plan(wanted, audience.feeds, self._resume_events)
                stream.audience = audience
                audience.streams.add(stream)
            if resume.replay(stream, user_id, plan, self._read_one):
                stream.go_live()
        except (psycopg2.Error, OSError, LookupError) as error:
            log.warning("a stream could not begin", error=repr(error))
            stream.end(TRY_AGAIN)
        finally:
            audience.opening -= 1
            self._forget_if_abandoned(audience)

    def closed(self, stream: Stream) -> None:
        """The stream has ended. Calling it twice is nothing."""
        audience, stream.audience = stream.audience, None
        if audience is not None:
            audience.streams.discard(stream)
            self._forget_if_abandoned(audience)

    def streams(self) -> list[Stream]:
        """All there are."""
        return [stream for audience in self.audiences.values() for stream in audience.streams]

    def streams_of(self, user_id: int) -> int:
        """How many streams the user has in this process."""
        audience = self.audiences.get(user_id)
        return len(audience.streams) + audience.opening if audience else 0

    def close(self) -> None:
        """End the green threads; the streams are left as they are."""
        gevent.killall(self._tasks)
        self._tasks.clear()
        self.fanout.close()

    # What the fan-out calls

    def receive(self, notices: Iterable[Notice]) -> None:
        """Act on what a process of the service has published. Never waits."""
        for notice in notices:
            if isinstance(notice, Happened):
                feed = self.feeds.get(notice.room_id)
                if feed is not None:
                    self._reader.hint(feed, notice.seq)
            elif isinstance(notice, Joined):
                audience = self.audiences.get(notice.user_id)
                if audience is not None:
                    gevent.spawn(self._refresh_quietly, audience)
            elif isinstance(notice, Revoked):
                self.revoke(notice.user_id, notice.session)
            else:
                moments.receive(self, notice)

    def revoke(self, user_id: int, session: bytes) -> None:
        """End the streams of a session."""
        audience = self.audiences.get(user_id)
        for stream in tuple(audience.streams) if audience else ():
            if stream.session == session:
                stream.end(REVOKED)

    def check(self) -> None:
        """Compare every room with the database: hints may have been lost."""
        feeds = list(self.feeds.values())
        with self.db.connection() as db:
            there = store.positions(db, [feed.room_id for feed in feeds])
        for feed in feeds:
            if feed.room_id in there:
                self._reader.hint(feed, there[feed.room_id])
            else:
                self.drop(feed)

    # Rooms come and go

    def refresh(self, audience: Audience) -> None:
        """Give the user the rooms that the database says it is in. Returns when this process is
        as far in each of them as the database was, so nobody is ahead of it."""
        with self.db.connection() as db:
            rooms = store.positions_of_member(db, audience.user_id)
        while True:
            self._enter_missing(audience, rooms)
            lagging = [
                feed
                for feed in audience.feeds.values()
                if feed.position < rooms.get(feed.room_id, 0)
            ]
            if not lagging:
                return
            for feed in lagging:
                self._reader.hint(feed, rooms[feed.room_id])
            self._reader.wait()

    def _enter_missing(self, audience: Audience, rooms: Mapping[int, int]) -> None:
        with self.still:
            for room_id, position in rooms.items():
                if room_id not in audience.feeds and audience.left.get(room_id, 0) <= position:
                    self.enter(audience, room_id, position)

    def drop(self, feed: Feed) -> None:
        """The room was deleted."""
        with self.still:
            for audience in tuple(feed.audiences):
                self.leave(audience, feed)
                audience.say_moved(Removed(feed.room_id))

    def enter(self, audience: Audience, room_id: int, position: int) -> None:
        """Give the user a room, whose log is at ``position`` if nobody here has it yet. Called
        while all is still."""
        feed = self.feeds.get(room_id)
        if feed is None:
            feed = self.feeds[room_id] = Feed(room_id, position)
        audience.enter(feed)
        audience.say_moved(Added(room_id, feed.position))

    def leave(self, audience: Audience, feed: Feed) -> None:
        """Take the room from the user, and forget it when that was the last one."""
        audience.leave(feed)
        if not feed.audiences and self.feeds.get(feed.room_id) is feed:
            del self.feeds[feed.room_id]

    def _refresh_quietly(self, audience: Audience) -> None:
        try:
            self.refresh(audience)
        except (psycopg2.Error, OSError) as error:
            log.warning("cannot read somebody's rooms; the next check will", error=repr(error))

    def _forget_if_abandoned(self, audience: Audience) -> None:
        if audience.abandoned and self.audiences.get(audience.user_id) is audience:
            del self.audiences[audience.user_id]
            for feed in tuple(audience.feeds.values()):
                self.leave(audience, feed)

    # Below

    def _start(self) -> None:
        if self._tasks:
            return
        # Not go(): they must not inherit the deadline of the request that happens to be first.
        self._tasks.append(gevent.spawn(self._reader.run))
        self.fanout.listen(self.receive, lambda: gevent.spawn(self._check_quietly))
        self._tasks += [gevent.spawn(task) for task in self.tasks]

    def _read_one(self, room_id: int, after: int, limit: int) -> list[Item]:
        with self.db.connection() as db:
            return list(Batch.of(room_id, events.read(db, {room_id: after}, limit)).items)

    def _check_quietly(self) -> None:
        try:
            self.check()
        except (psycopg2.Error, OSError) as error:
            log.warning("cannot check positions; the next check will", error=repr(error))

"""Opens and closes the streams of one process, and acts on the notices of all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import gevent
import psycopg2
import structlog

from colorless.postgres import Pool
from service.chat import events
from service.chat.fanout.backend import Fanout
from service.chat.fanout.notices import JoinedRoom, LogGrew, Notice, SessionRevoked, Typing
from service.chat.live import ephemeral, resume
from service.chat.live.batch import Batch, Item
from service.chat.live.log_reader import LogReader
from service.chat.live.registry import StreamRegistry
from service.chat.live.stream import REVOKED, TRY_AGAIN, Stream
from service.chat.live.subscriber import Subscriber
from service.chat.store import events as store

log = structlog.get_logger("service.live")


class StreamManager:
    """Starts its green threads when the first stream is opened. ``tasks`` are started with them."""

    def __init__(self, db: Pool, fanout: Fanout, *, resume_events: int) -> None:
        self.db = db
        self.fanout = fanout
        self.registry = StreamRegistry()
        self._resume_events = resume_events
        self._reader = LogReader(db, self.registry)
        self._typing = ephemeral.TypingThrottle()
        self._greenlets: list[gevent.Greenlet] = []
        self.tasks: list[Callable[[], None]] = []

    # Called by the use cases

    def announce(self, room_id: int, seq: int) -> None:
        """A room's log has a new event ``seq``, and it is committed. Never waits."""
        self.tell(LogGrew(room_id, seq))

    def tell(self, notice: Notice) -> None:
        """Send the notice to every process, this one included. Never waits, raises nothing: what
        it is about is committed, and a process that misses it finds that at its next check."""
        if isinstance(notice, Typing) and not self._typing.allows(notice):
            return
        try:
            self.receive([notice])
            self.fanout.publish(notice)
        except Exception as error:
            log.exception("a notice was lost", notice=repr(notice), error=repr(error))

    # Called by the views

    def open(self, stream: Stream[Subscriber], user_id: int, wanted: Mapping[int, int]) -> None:
        """Send the stream its start and what its client missed; then it is live.

        ``wanted`` is how far the client was in each room. Waits until the stream is live or closed.
        """
        self._start()
        subscriber = self.registry.subscriber(user_id)
        subscriber.opening += 1
        try:
            self.refresh(subscriber)
            with self.registry.delivery:
                if not stream.is_open:
                    return
                plan = resume.plan(wanted, subscriber.feeds, self._resume_events)
                stream.subscriber = subscriber
                subscriber.streams.add(stream)
            if resume.replay(stream, user_id, plan, self._read_one):
                stream.go_live()
        except (psycopg2.Error, OSError, LookupError) as error:
            log.warning("a stream could not be opened", error=repr(error))
            stream.end(TRY_AGAIN)
        finally:
            subscriber.opening -= 1
            self.registry.forget_if_abandoned(subscriber)

    def close(self) -> None:
        """End the green threads; the streams are left as they are."""
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        self.fanout.close()

    # Called by the fan-out

    def receive(self, notices: Iterable[Notice]) -> None:
        """Act on what a process of the service has published. Never waits."""
        for notice in notices:
            if isinstance(notice, LogGrew):
                feed = self.registry.feeds.get(notice.room_id)
                if feed is not None:
                    self._reader.hint(feed, notice.seq)
            elif isinstance(notice, JoinedRoom):
                subscriber = self.registry.subscribers.get(notice.user_id)
                if subscriber is not None:
                    gevent.spawn(self._refresh_or_log, subscriber)
            elif isinstance(notice, SessionRevoked):
                self.revoke(notice.user_id, notice.session)
            else:
                ephemeral.deliver(self.registry, notice)

    def revoke(self, user_id: int, session: bytes) -> None:
        """End the streams of a session."""
        subscriber = self.registry.subscribers.get(user_id)
        for stream in tuple(subscriber.streams) if subscriber else ():
            if stream.session == session:
                stream.end(REVOKED)

    # Compared with the database

    def check(self) -> None:
        """Look how far each room's log has come: notices of it may have been lost."""
        feeds = list(self.registry.feeds.values())
        with self.db.connection() as db:
            there = store.positions(db, [feed.room_id for feed in feeds])
        for feed in feeds:
            if feed.room_id in there:
                self._reader.hint(feed, there[feed.room_id])
            else:
                self.registry.drop(feed)

    def refresh(self, subscriber: Subscriber) -> None:
        """Give the user the rooms that the database says it is in.

        Returns when this process has read each of them as far as the database had come, so that no
        client is ahead of its process.
        """
        with self.db.connection() as db:
            rooms = store.positions_of_member(db, subscriber.user_id)
        while True:
            self._enter_missing(subscriber, rooms)
            lagging = [
                feed
                for feed in subscriber.feeds.values()
                if feed.position < rooms.get(feed.room_id, 0)
            ]
            if not lagging:
                return
            for feed in lagging:
                self._reader.hint(feed, rooms[feed.room_id])
            self._reader.wait()

    def _enter_missing(self, subscriber: Subscriber, rooms: Mapping[int, int]) -> None:
        with self.registry.delivery:
            for room_id, position in rooms.items():
                is_news = subscriber.left.get(room_id, 0) <= position
                if room_id not in subscriber.feeds and is_news:
                    self.registry.enter(subscriber, room_id, position)

    def _refresh_or_log(self, subscriber: Subscriber) -> None:
        try:
            self.refresh(subscriber)
        except (psycopg2.Error, OSError) as error:
            log.warning("cannot read a user's rooms; the next check will", error=repr(error))

    def _check_or_log(self) -> None:
        try:
            self.check()
        except (psycopg2.Error, OSError) as error:
            log.warning("cannot check positions; the next check will", error=repr(error))

    # Green threads and reading

    def _start(self) -> None:
        if self._greenlets:
            return
        # Not go(): they must not inherit the deadline of the request that happens to be first.
        self._greenlets.append(gevent.spawn(self._reader.run))
        self.fanout.listen(self.receive, lambda: gevent.spawn(self._check_or_log))
        self._greenlets += [gevent.spawn(task) for task in self.tasks]

    def _read_one(self, room_id: int, after: int, limit: int) -> list[Item]:
        with self.db.connection() as db:
            return list(Batch.of(room_id, events.read(db, {room_id: after}, limit)).items)

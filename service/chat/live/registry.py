"""The subscribers and room feeds of one process: who gets which room. No I/O."""

from __future__ import annotations

from gevent.lock import RLock

from service.chat.events import Added, Removed
from service.chat.live.room_feed import RoomFeed
from service.chat.live.stream import Stream
from service.chat.live.subscriber import Subscriber


class StreamRegistry:
    """``feeds`` by room id, ``subscribers`` by user id.

    ``delivery`` is held while a room's events are handed out, and by whoever needs every stream of
    the process to be exactly where its feeds are.
    """

    def __init__(self) -> None:
        self.feeds: dict[int, RoomFeed[Subscriber]] = {}
        self.subscribers: dict[int, Subscriber] = {}
        self.delivery = RLock()

    def streams(self) -> list[Stream[Subscriber]]:
        """All open streams."""
        return [stream for each in self.subscribers.values() for stream in each.streams]

    def streams_of(self, user_id: int) -> int:
        """How many streams the user has in this process, those that are being opened included."""
        subscriber = self.subscribers.get(user_id)
        return len(subscriber.streams) + subscriber.opening if subscriber else 0

    def subscriber(self, user_id: int) -> Subscriber:
        """The user's entry, which is made if there is none."""
        return self.subscribers.setdefault(user_id, Subscriber(user_id))

    def closed(self, stream: Stream[Subscriber]) -> None:
        """Remove the stream. Calling it twice is nothing."""
        subscriber, stream.subscriber = stream.subscriber, None
        if subscriber is not None:
            subscriber.streams.discard(stream)
            self.forget_if_abandoned(subscriber)

    def enter(self, subscriber: Subscriber, room_id: int, position: int) -> None:
        """Give the user a room; ``position`` is where its log is, if the room is new to this
        process. Called with ``delivery`` held."""
        feed = self.feeds.get(room_id)
        if feed is None:
            feed = self.feeds[room_id] = RoomFeed(room_id, position)
        subscriber.enter(feed)
        subscriber.send_with_position(Added(room_id, feed.position))

    def leave(self, subscriber: Subscriber, feed: RoomFeed[Subscriber]) -> None:
        """Take the room from the user, and remove its feed when nobody here gets it any more."""
        subscriber.leave(feed)
        if not feed.subscribers and self.feeds.get(feed.room_id) is feed:
            del self.feeds[feed.room_id]

    def drop(self, feed: RoomFeed[Subscriber]) -> None:
        """The room was deleted: take it from everybody."""
        with self.delivery:
            for subscriber in tuple(feed.subscribers):
                self.leave(subscriber, feed)
                subscriber.send_with_position(Removed(feed.room_id))

    def forget_if_abandoned(self, subscriber: Subscriber) -> None:
        """Remove a user who has no stream here, with the rooms that nobody else gets."""
        if subscriber.abandoned and self.subscribers.get(subscriber.user_id) is subscriber:
            del self.subscribers[subscriber.user_id]
            for feed in tuple(subscriber.feeds.values()):
                self.leave(subscriber, feed)

"""One user in this process: its streams, and the rooms whose events they get."""

from __future__ import annotations

from service.chat.events import Control, encode
from service.chat.live.batch import Batch
from service.chat.live.positions import join
from service.chat.live.room_feed import RoomFeed
from service.chat.live.stream import Stream


class Subscriber:
    """All streams of a user get the same rooms.

    ``left`` has, for rooms that the user left, the number of the event that says so: an answer of
    the database that is older than that event must not bring the room back. ``read`` has the
    user's read mark in each room, as far as it was sent to the streams.
    """

    __slots__ = ("feeds", "left", "opening", "read", "streams", "user_id")

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.streams: set[Stream[Subscriber]] = set()
        self.feeds: dict[int, RoomFeed[Subscriber]] = {}
        self.opening = 0  # streams that are being opened, and are not in ``streams`` yet
        self.left: dict[int, int] = {}
        self.read: dict[int, int] = {}

    @property
    def abandoned(self) -> bool:
        """Whether the user has no stream here and none is being opened."""
        return not self.streams and not self.opening

    def deliver(self, batch: Batch) -> None:
        """Send a room's events to every stream."""
        for stream in tuple(self.streams):
            stream.deliver(batch)

    def send(self, event: Control) -> None:
        """Send every stream an event that leaves its position as it is."""
        json = encode(event)
        for stream in tuple(self.streams):
            stream.send(stream.event(json))

    def send_with_position(self, event: Control) -> None:
        """Send every stream an event that changes its position: a room was added or removed."""
        json, position = encode(event), self.position()
        for stream in tuple(self.streams):
            stream.send(stream.event(json, position))

    def enter(self, feed: RoomFeed[Subscriber]) -> None:
        """Get this room's events, from where the feed is now."""
        self.feeds[feed.room_id] = feed
        feed.subscribers.add(self)

    def leave(self, feed: RoomFeed[Subscriber]) -> None:
        """Get this room's events no more."""
        self.feeds.pop(feed.room_id, None)
        feed.subscribers.discard(self)

    def positions(self) -> dict[int, int]:
        """How far each room has come here."""
        return {room_id: feed.position for room_id, feed in self.feeds.items()}

    def position(self) -> str:
        """The positions in all rooms, as text."""
        return join([feed.mark for feed in self.feeds.values()])

    def position_elsewhere(self, room_id: int) -> str:
        """The positions in all rooms but this one, as text."""
        return join([feed.mark for other, feed in self.feeds.items() if other != room_id])

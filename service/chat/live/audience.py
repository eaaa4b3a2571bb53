"""One user in this process: its streams, and the rooms that they get."""

from __future__ import annotations

from service.chat.events import Control, encode
from service.chat.live.batch import Batch
from service.chat.live.feed import Feed
from service.chat.live.positions import join
from service.chat.live.stream import Stream


class Audience:
    """All streams of a user get the same rooms. ``left`` remembers where in a room's log the user
    left it, against an answer from the database that is older than that."""

    __slots__ = ("feeds", "left", "opening", "read", "streams", "user_id")

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.streams: set[Stream] = set()
        self.feeds: dict[int, Feed] = {}
        self.opening = 0  # streams that are on their way in
        self.left: dict[int, int] = {}
        self.read: dict[int, int] = {}

    @property
    def abandoned(self) -> bool:
        """Whether nobody listens and nobody is about to."""
        return not self.streams and not self.opening

    def deliver(self, batch: Batch) -> None:
        """Hand a room's events to every stream."""
        for stream in tuple(self.streams):
            stream.deliver(batch)

    def say(self, event: Control) -> None:
        """Hand every stream something that does not change its position."""
        json = encode(event)
        for stream in tuple(self.streams):
            stream.say(stream.event(json))

    def say_moved(self, event: Control) -> None:
        """Hand every stream something that changes its position: rooms came or went."""
        json, position = encode(event), self.position()
        for stream in tuple(self.streams):
            stream.say(stream.event(json, position))

    def enter(self, feed: Feed) -> None:
        """Get this room, from where it is now."""
        self.feeds[feed.room_id] = feed
        feed.audiences.add(self)

    def leave(self, feed: Feed) -> None:
        """Get this room no more."""
        self.feeds.pop(feed.room_id, None)
        feed.audiences.discard(self)

    def positions(self) -> dict[int, int]:
        """How far each room has come here."""
        return {room_id: feed.position for room_id, feed in self.feeds.items()}

    def position(self) -> str:
        """The same as text."""
        return join([feed.mark for feed in self.feeds.values()])

    def position_elsewhere(self, room_id: int) -> str:
        """The same, without one room."""
        return join([feed.mark for other, feed in self.feeds.items() if other != room_id])

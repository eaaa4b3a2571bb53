"""A room in this process: how far its log has been read here, and whose streams get it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from service.chat.events import Event
from service.chat.live.batch import Batch, Item
from service.chat.live.positions import mark

# Guessed: what a reconnection storm after a short outage asks for; about 30 KB in a busy room.
KEPT = 64

# Who gets the room: a Subscriber, which is made of feeds and so cannot be named here.
SubscriberT = TypeVar("SubscriberT")


class RoomFeed(Generic[SubscriberT]):
    """``position`` is the number of the last event that was handed to the streams here;
    ``log_end`` is the highest number that the log is known to have."""

    __slots__ = ("log_end", "mark", "position", "recent", "room_id", "subscribers")

    def __init__(self, room_id: int, position: int) -> None:
        self.room_id = room_id
        self.position = self.log_end = position
        self.mark = mark(room_id, position)
        self.subscribers: set[SubscriberT] = set()
        self.recent: deque[Item] = deque(maxlen=KEPT)

    @property
    def behind(self) -> bool:
        """Whether the log has events that were not read here yet."""
        return self.log_end > self.position

    def advance(self, events: Sequence[Event]) -> Batch:
        """Move ``position`` over these events, which are the next ones, and return them as a batch.

        Raises ``ValueError`` if they are not the next ones.
        """
        if events[0].seq != self.position + 1:
            raise ValueError(f"room {self.room_id}: {events[0].seq} after {self.position}")
        batch = Batch.of(self.room_id, events)
        self.position = events[-1].seq
        self.log_end = max(self.log_end, self.position)
        self.mark = batch.items[-1].mark
        if any(event.type == "message.deleted" for event in events):
            # The text of a deleted message must not be sent again.
            self.recent.clear()
        else:
            self.recent.extend(batch.items)
        return batch

    def since(self, position: int) -> list[Item] | None:
        """The events after ``position``, or ``None`` if some of them are no longer kept here."""
        if not self.recent or self.recent[0].seq > position + 1:
            return None
        return [item for item in self.recent if item.seq > position]

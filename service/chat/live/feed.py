"""A room in this process: how far its log has been read here, and whose streams get it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.chat.live.batch import Batch, Item
from service.chat.live.positions import mark

if TYPE_CHECKING:
    from service.chat.events import Event
    from service.chat.live.audience import Audience

# Guessed: what a reconnection storm after a short outage asks for; about 30 KB in a busy room.
KEPT = 64


class Feed:
    """``position`` is the number of the last event that was handed to the streams here;
    ``hinted`` is how far the log is known to go."""

    __slots__ = ("audiences", "hinted", "mark", "position", "recent", "room_id")

    def __init__(self, room_id: int, position: int) -> None:
        self.room_id = room_id
        self.position = self.hinted = position
        self.mark = mark(room_id, position)
        self.audiences: set[Audience] = set()
        self.recent: deque[Item] = deque(maxlen=KEPT)

    @property
    def behind(self) -> bool:
        """Whether there is something to read."""
        return self.hinted > self.position

    def advance(self, events: Sequence[Event]) -> Batch:
        """Move on over these events, which are the next ones. Raises ``ValueError`` if not."""
        if events[0].seq != self.position + 1:
            raise ValueError(f"room {self.room_id}: {events[0].seq} after {self.position}")
        batch = Batch.of(self.room_id, events)
        self.position = events[-1].seq
        self.hinted = max(self.hinted, self.position)
        self.mark = batch.items[-1].mark
        if any(event.type == "message.deleted" for event in events):
            # The text of a deleted message must not be given out again.
            self.recent.clear()
        else:
            self.recent.extend(batch.items)
        return batch

    def since(self, position: int) -> list[Item] | None:
        """The events behind ``position``, if all of them are still remembered."""
        if not self.recent or self.recent[0].seq > position + 1:
            return None
        return [item for item in self.recent if item.seq > position]

"""Ephemeral events: who is typing, who is online, what the user has read on another device.

They are sent to the streams that are open and stored nowhere; one that is lost is not sent again.
"""

from __future__ import annotations

import time

from service.chat.events import HasRead, IsOnline, IsTyping
from service.chat.fanout.notices import Notice, Presence, ReadUpTo, Typing
from service.chat.live.registry import StreamRegistry
from service.chat.live.subscriber import Subscriber

# In a room with more subscribers than this in one process, typing and presence are not sent: they
# would outnumber the messages. Guessed.
CROWD = 200
# Seconds for which somebody counts as typing, and in which it is sent only once; guessed.
TYPING_LASTS, TYPING_SENT_EVERY = 6, 3.0
# Guessed: rooms and users that may be typing at once, before the oldest are forgotten.
_REMEMBERED = 10_000


class TypingThrottle:
    """Lets one typing notice of a user in a room through every few seconds."""

    def __init__(self) -> None:
        self._sent: dict[tuple[int, int], float] = {}

    def allows(self, notice: Typing) -> bool:
        """Whether the notice is to be sent; if so, that is remembered."""
        key, now = (notice.room_id, notice.user.id), time.monotonic()
        if now - self._sent.get(key, -TYPING_SENT_EVERY) < TYPING_SENT_EVERY:
            return False
        self._sent.pop(key, None)  # so that the newest is last
        self._sent[key] = now
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return True


def deliver(registry: StreamRegistry, notice: Notice) -> None:
    """Send the notice to the streams of the users whom it concerns."""
    if isinstance(notice, Typing):
        event = IsTyping(notice.room_id, notice.user, TYPING_LASTS)
        for subscriber in _in_rooms(registry, (notice.room_id,)):
            if subscriber.user_id != notice.user.id:
                subscriber.send(event)
    elif isinstance(notice, Presence):
        for subscriber in _in_rooms(registry, notice.room_ids):
            if subscriber.user_id != notice.user_id:
                subscriber.send(IsOnline(notice.user_id, notice.online))
    elif isinstance(notice, ReadUpTo):
        reader = registry.subscribers.get(notice.user_id)
        # Notices may come in any order; a mark never moves back.
        if reader is not None and notice.seq > reader.read.get(notice.room_id, 0):
            reader.read[notice.room_id] = notice.seq
            reader.send(HasRead(notice.room_id, notice.seq))


def _in_rooms(registry: StreamRegistry, room_ids: tuple[int, ...]) -> set[Subscriber]:
    found: set[Subscriber] = set()
    for room_id in room_ids:
        feed = registry.feeds.get(room_id)
        if feed is not None and len(feed.subscribers) <= CROWD:
            found |= feed.subscribers
    return found

"""What is of the moment: who types, who comes and goes, what one has read elsewhere.

None of it is stored in the log, and what is lost is not repaired: it would be over by then.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from service.chat.events import HasRead, IsOnline, IsTyping
from service.chat.live.audience import Audience
from service.chat.notices import Marked, Notice, Presence, Typing

if TYPE_CHECKING:
    from service.chat.live.hub import Hub

# In a room with more listeners than this in one process nobody is told who types or comes: the
# messages would be nothing else. Guessed.
CROWD = 200
# Seconds for which somebody counts as typing, and in which it is told only once; guessed.
TYPING_LASTS, TYPING_TOLD_EVERY = 6, 3.0
# Guessed: rooms and people that may be typing at once, before the oldest are forgotten.
_REMEMBERED = 10_000


class Typists:
    """Who was said to be typing a moment ago, so that it needs not be said again."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], float] = {}

    def is_news(self, notice: Typing) -> bool:
        """Whether it is time to tell the others."""
        key, now = (notice.room_id, notice.user.id), time.monotonic()
        if now - self._told.get(key, -TYPING_TOLD_EVERY) < TYPING_TOLD_EVERY:
            return False
        self._told.pop(key, None)  # so that the newest is last
        self._told[key] = now
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


def receive(hub: Hub, notice: Notice) -> None:
    """Tell those here whom it concerns."""
    if isinstance(notice, Typing):
        event = IsTyping(notice.room_id, notice.user, TYPING_LASTS)
        for audience in _in_rooms(hub, (notice.room_id,)):
            if audience.user_id != notice.user.id:
                audience.say(event)
    elif isinstance(notice, Presence):
        for audience in _in_rooms(hub, notice.room_ids):
            if audience.user_id != notice.user_id:
                audience.say(IsOnline(notice.user_id, notice.online))
    elif isinstance(notice, Marked):
        reader = hub.audiences.get(notice.user_id)
        # Notices may come in any order; a mark never moves back.
        if reader is not None and notice.seq > reader.read.get(notice.room_id, 0):
            reader.read[notice.room_id] = notice.seq
            reader.say(HasRead(notice.room_id, notice.seq))


def _in_rooms(hub: Hub, room_ids: tuple[int, ...]) -> set[Audience]:
    found: set[Audience] = set()
    for room_id in room_ids:
        feed = hub.feeds.get(room_id)
        if feed is not None and len(feed.audiences) <= CROWD:
            found |= feed.audiences
    return found

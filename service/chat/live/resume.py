"""What a client missed: from where it was, room by room, to where its process is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.chat.events import Gap, Ready, Removed, encode
from service.chat.live.batch import Item
from service.chat.live.feed import Feed
from service.chat.live.positions import text
from service.chat.live.stream import Stream

# Guessed: read at once, so that a long catch-up does not sit in memory.
CHUNK = 100

Read = Callable[[int, int, int], list[Item]]


class Missed(NamedTuple):
    """A room of which the client misses the events from ``after + 1`` to ``until``."""

    room_id: int
    after: int
    until: int
    remembered: list[Item] | None  # all of them, if this process still has them


class Plan(NamedTuple):
    """``start`` is where the stream starts in each room; then what it missed, then where it
    missed too much, then the rooms that it has no more."""

    start: dict[int, int]
    missed: list[Missed]
    gaps: list[Gap]
    removed: list[int]


def plan(wanted: Mapping[int, int], feeds: Mapping[int, Feed], most: int) -> Plan:
    """Decide, without waiting, so that the answer fits the feeds as they are at this moment.

    ``most`` is how many events a client is given in all; rooms that would exceed it are a gap,
    as is a room whose log is not as long as the client says (it was restored, perhaps).
    """
    start = {room_id: wanted.get(room_id, feed.position) for room_id, feed in feeds.items()}
    missed, gaps = [], []
    behind = [room_id for room_id, feed in feeds.items() if start[room_id] != feed.position]
    for room_id in sorted(behind, key=lambda each: feeds[each].position - start[each]):
        feed, after = feeds[room_id], start[room_id]
        count = feed.position - after
        if 0 < count <= most:
            most -= count
            missed.append(Missed(room_id, after, feed.position, feed.since(after)))
        else:
            gaps.append(Gap(room_id, after, feed.position))
    return Plan(start, missed, gaps, [room_id for room_id in wanted if room_id not in feeds])


def replay(stream: Stream, user_id: int, plan: Plan, read: Read) -> bool:
    """Send it all, as fast as the client takes it; whether it is still there at the end."""
    here = dict(plan.start)
    stream.write(stream.event(encode(Ready(user_id, here)), text(here)))
    for room in plan.missed:
        while here[room.room_id] < room.until:
            items = _next(room, here[room.room_id], read)
            for item in items:
                here[room.room_id] = item.seq
                stream.write(stream.event(item.json, text(here)))
            if not stream.flush():
                return False
    for gap in plan.gaps:
        here[gap.room_id] = gap.position
        stream.write(stream.event(encode(gap), text(here)))
    for room_id in plan.removed:
        stream.write(stream.event(encode(Removed(room_id))))
    return stream.flush()


def _next(room: Missed, after: int, read: Read) -> list[Item]:
    if room.remembered is not None:
        return room.remembered
    items = [item for item in read(room.room_id, after, CHUNK) if item.seq <= room.until]
    if not items:
        raise LookupError(f"room {room.room_id} was deleted while a client caught up in it")
    return items

"""Sends a client the events that it missed, room by room, up to where its process is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.chat.events import Gap, Ready, Removed, encode
from service.chat.live.batch import Item
from service.chat.live.positions import text
from service.chat.live.room_feed import RoomFeed
from service.chat.live.stream import Stream
from service.chat.live.subscriber import Subscriber

# Events that are read at once; guessed. A long replay must not be in memory as a whole.
CHUNK = 100

Read = Callable[[int, int, int], list[Item]]


class Missed(NamedTuple):
    """The events from ``after + 1`` to ``until`` of a room, which the client has not got."""

    room_id: int
    after: int
    until: int
    recent: list[Item] | None  # all of them, if the room feed still has them


class Plan(NamedTuple):
    """What a stream begins with: its position in each room, the events that its client missed, the
    rooms of which it missed too many, and the ids of the rooms that the user has left."""

    start: dict[int, int]
    missed: list[Missed]
    gaps: list[Gap]
    removed: list[int]


def plan(
    wanted: Mapping[int, int], feeds: Mapping[int, RoomFeed[Subscriber]], max_events: int
) -> Plan:
    """Decide what to send, without waiting: the plan fits the feeds as they are at this moment.

    ``wanted`` has the client's position in each room. At most ``max_events`` are sent in all. A
    room that would exceed that is a gap, as is a room whose log is shorter than the client says
    (the database was restored, perhaps).
    """
    start = {room_id: wanted.get(room_id, feed.position) for room_id, feed in feeds.items()}
    missed, gaps = [], []
    left = max_events
    behind = [room_id for room_id, feed in feeds.items() if start[room_id] != feed.position]
    for room_id in sorted(behind, key=lambda each: feeds[each].position - start[each]):
        feed, after = feeds[room_id], start[room_id]
        count = feed.position - after
        if 0 < count <= left:
            left -= count
            missed.append(Missed(room_id, after, feed.position, feed.since(after)))
        else:
            gaps.append(Gap(room_id, after, feed.position))
    return Plan(start, missed, gaps, [room_id for room_id in wanted if room_id not in feeds])


def replay(stream: Stream[Subscriber], user_id: int, plan: Plan, read: Read) -> bool:
    """Send what is planned, as fast as the client reads; returns whether it is still there."""
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
    if room.recent is not None:
        return room.recent
    items = [item for item in read(room.room_id, after, CHUNK) if item.seq <= room.until]
    if not items:
        raise LookupError(f"room {room.room_id} was deleted while its events were replayed")
    return items

"""What happened, as clients saw it, and whether that could have happened.

A :class:`History` is recorded while a test runs, by writers, readers and streams that share no
state with the service. :func:`violations` then checks it offline, without the service.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sent:
    """A message that was acknowledged, with what was acknowledged."""

    room_id: int
    client_id: str
    seq: int
    body: str


@dataclass
class Watch:
    """What one client got, over all of its connections, in order. Each connection begins with a
    ``ready`` event. ``until`` is where a room's log was when its user was removed from it."""

    user_id: int
    events: list[dict[str, Any]] = field(default_factory=list)
    removed_at: dict[int, int] = field(default_factory=dict)


@dataclass
class History:
    """``stored`` is what the API says at the end, by room; ``marks`` are the answers to marking
    rooms as read, in order, for each user and room."""

    sent: list[Sent] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    stored: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    marks: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))


def violations(history: History, *, complete: bool = True) -> list[str]:
    """Everything that must not be. With ``complete`` every stream must have got every event up to
    its rooms' last one, as when it was given the time to."""
    return [
        *_lost_or_doubled(history),
        *_out_of_number(history),
        *_marks_that_move_back(history),
        *_different_stories(history.watches),
        *(it for watch in history.watches for it in _broken_streams(watch)),
        *(_undelivered(history) if complete else ()),
    ]


def _lost_or_doubled(history: History) -> Iterator[str]:
    """Every acknowledged message is in the history exactly once, and a client id is one message."""
    for room_id, messages in history.stored.items():
        ids = Counter((message["author"]["id"], message["client_id"]) for message in messages)
        for key, times in ids.items():
            if times > 1:
                yield f"room {room_id}: client id {key} is {times} messages"
    stored = {
        (room_id, message["client_id"]): message
        for room_id, messages in history.stored.items()
        for message in messages
    }
    for sent in history.sent:
        found = stored.get((sent.room_id, sent.client_id))
        if found is None:
            yield f"room {sent.room_id}: {sent.client_id} was acknowledged and is lost"
        elif (found["seq"], found["body"]) != (sent.seq, sent.body):
            yield f"room {sent.room_id}: {sent.client_id} is not what was acknowledged"


def _out_of_number(history: History) -> Iterator[str]:
    """The messages of a room are numbered from 1, without a gap."""
    for room_id, messages in history.stored.items():
        numbers = [message["seq"] for message in messages]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"room {room_id}: messages are numbered {numbers}"


def _marks_that_move_back(history: History) -> Iterator[str]:
    for (user_id, room_id), marks in history.marks.items():
        if marks != sorted(marks):
            yield f"user {user_id}, room {room_id}: the read mark moved back: {marks}"


def _different_stories(watches: Iterable[Watch]) -> Iterator[str]:
    """An event number means the same event to everybody."""
    told: dict[tuple[int, int], tuple[str, int | None]] = {}
    for watch in watches:
        for event in _of_the_log(watch):
            key = (event["room_id"], event["seq"])
            story = (event["type"], event.get("message_seq"))
            if told.setdefault(key, story) != story:
                yield f"room {key[0]}, event {key[1]}: {story} for one, {told[key]} for another"


def _broken_streams(watch: Watch) -> Iterator[str]:
    """Each room's events follow each other without a gap or a repetition from where the stream
    says that it starts, over all connections; and nothing comes after a removal."""
    position: dict[int, int] = {}
    for event in watch.events:
        room_id = event.get("room_id", 0)
        if event["type"] == "ready":
            started = {int(room): seq for room, seq in event["positions"].items()}
            for room, seq in started.items():
                if position.get(room, seq) != seq:
                    at = position[room]
                    yield f"user {watch.user_id}, room {room}: resumed at {seq}, not {at}"
            position |= started
        elif event["type"] in ("gap", "added"):
            position[room_id] = event["position"]
        elif event["type"] == "removed":
            position.pop(room_id, None)
        elif "seq" in event and "at" in event:
            if event["seq"] != position.get(room_id, -1) + 1:
                yield (
                    f"user {watch.user_id}, room {room_id}: event {event['seq']} "
                    f"after {position.get(room_id)}"
                )
            position[room_id] = event["seq"]
            if event["seq"] > watch.removed_at.get(room_id, event["seq"]):
                yield f"user {watch.user_id}: got {event['seq']} after leaving room {room_id}"


def _undelivered(history: History) -> Iterator[str]:
    """Every acknowledged message reached every stream that stayed in the room."""
    for watch in history.watches:
        got = {
            (event["room_id"], event["message_seq"])
            for event in _of_the_log(watch)
            if event["type"] == "message.created"
        }
        for sent in history.sent:
            if sent.room_id in watch.removed_at or (sent.room_id, sent.seq) in got:
                continue
            yield f"user {watch.user_id} never got message {sent.seq} of room {sent.room_id}"


def _of_the_log(watch: Watch) -> Iterator[dict[str, Any]]:
    return (event for event in watch.events if "seq" in event and "at" in event)

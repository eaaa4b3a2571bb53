"""The events that streams send. Those of a room's log have a ``seq``; the others are not stored.

A log entry refers to its message, and the message is read with the entry. So an event has the
message as it is now; the text of a deleted message is never sent, whenever the event is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from colorless.postgres import Connection
from service.chat.models import Id, Message, Role, Seq, Topic, User, Visibility
from service.chat.store import events as store
from service.chat.store import messages

encode = msgspec.json.Encoder().encode


class RoomFacts(Struct, frozen=True):
    """A room's properties, as every member sees them."""

    name: str
    topic: Topic
    visibility: Visibility


class Event(Struct, frozen=True, omit_defaults=True):
    """An entry of a room's log. What does not belong to its ``type`` is left out."""

    type: str
    room_id: Id
    seq: Seq
    at: datetime
    actor: User
    message_seq: Id | None = None
    message: Message | None = None
    emoji: str | None = None
    user: User | None = None
    role: Role | None = None
    room: RoomFacts | None = None


class Ready(Struct, frozen=True, tag="ready", tag_field="type"):
    """The first event of every stream. The next event of a room is its position plus one."""

    user_id: Id
    positions: dict[Id, Seq]


class Gap(Struct, frozen=True, tag="gap", tag_field="type"):
    """Too much was missed: load the room anew. Its next event is ``position`` plus one."""

    room_id: Id
    after: Seq
    position: Seq


class Added(Struct, frozen=True, tag="added", tag_field="type"):
    """You are in a room that this stream did not have. Its next event is ``position`` plus one."""

    room_id: Id
    position: Seq


class Removed(Struct, frozen=True, tag="removed", tag_field="type"):
    """You are not in this room, or not any more; nothing of it follows."""

    room_id: Id


class IsTyping(Struct, frozen=True, tag="typing", tag_field="type"):
    """Somebody is writing; forget it after ``expires_in`` seconds unless it is said again."""

    room_id: Id
    user: User
    expires_in: int


class IsOnline(Struct, frozen=True, tag="presence", tag_field="type"):
    """Somebody came or went."""

    user_id: Id
    online: bool


class HasRead(Struct, frozen=True, tag="read", tag_field="type"):
    """You have read a room up to this message: on another device, perhaps."""

    room_id: Id
    seq: Seq


class Closing(Struct, frozen=True, tag="closing", tag_field="type"):
    """The last event of a stream that the server ends, and why. A WebSocket gets the same in its
    close frame."""

    code: int
    reason: str


class Pong(Struct, frozen=True, tag="pong", tag_field="type"):
    """The answer to a client's ping."""


Control = Ready | Gap | Added | Removed | IsTyping | IsOnline | HasRead | Closing | Pong
Kind = Literal["message.created", "message.edited", "message.deleted"]


def read(db: Connection, positions: Mapping[int, int], limit: int) -> list[Event]:
    """The events after each room's position, at most ``limit`` of each room, by room and number."""
    entries = store.after(db, positions, limit)
    wanted = {(entry.room_id, entry.message_seq) for entry in entries if entry.message_seq}
    found = {(m.room_id, m.seq): m for m in messages.numbered(db, wanted)} if wanted else {}
    return [_event(entry, found) for entry in entries]


def _event(entry: store.Entry, found: Mapping[tuple[int, int], Message]) -> Event:
    about: dict[str, Any] = {}
    subject, _, _ = entry.kind.partition(".")
    if entry.message_seq is not None:
        about["message_seq"] = entry.message_seq
        if subject != "reaction":
            about["message"] = found.get((entry.room_id, entry.message_seq))
    if subject == "reaction":
        about["emoji"] = entry.detail
    elif subject == "member":
        about.update(user=entry.user, role=entry.detail)
    elif subject == "room":
        about["room"] = RoomFacts(*entry.room)
    return Event(entry.kind, entry.room_id, entry.seq, entry.at, entry.actor, **about)

"""What one has read, what not, and all that a client shows first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from colorless.postgres import Connection
from colorless.tasks import TaskGroup
from service.chat.chat import Chat
from service.chat.models import Home, ReadMark, Unread, UnreadCounts, User
from service.chat.notices import Marked
from service.chat.rooms import readable
from service.chat.store import messages, reading, rooms
from service.errors import Forbidden

T = TypeVar("T")

# Guessed: what a first screen has place for.
_MENTIONS_SHOWN = 20


def mark(chat: Chat, user: User, room_id: int, wanted: ReadMark) -> Unread:
    """Remember how far the user has read; a mark never moves back."""
    with chat.db.transaction() as db:
        if reading.mark(db, room_id, user.id, wanted.seq) is None:
            readable(db, user, room_id)
            raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")
        (unread,) = reading.unread(db, user.id, room_id)
    chat.tell(Marked(user.id, room_id, unread.read_seq))
    return unread


def unread(chat: Chat, user: User) -> UnreadCounts:
    """What the user has not read, room by room."""
    with chat.db.connection() as db:
        counts = reading.unread(db, user.id)
    return UnreadCounts(
        unread=sum(room.unread for room in counts),
        mentions=sum(room.mentions for room in counts),
        rooms=counts,
    )


def home(chat: Chat, user: User) -> Home:
    """All that a client shows first: four questions that do not wait for each other."""

    def ask(question: Callable[[Connection], T]) -> T:
        with chat.db.connection() as db:
            return question(db)

    with TaskGroup() as group:
        joined = group.go(ask, lambda db: rooms.joined(db, user.id))
        counts = group.go(ask, lambda db: reading.unread(db, user.id))
        mentions = group.go(ask, lambda db: messages.mentioning(db, user.id, _MENTIONS_SHOWN))
        latest = group.go(ask, lambda db: messages.latest_of_each_room(db, user.id))
    return Home(user, joined.get(), counts.get(), mentions.get(), latest.get())

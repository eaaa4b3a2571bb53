"""What a client shows first: the user's rooms, what is unread, mentions, the latest messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from colorless.postgres import Connection
from colorless.tasks import TaskGroup
from service.chat.context import ChatContext
from service.chat.models import Home, User
from service.chat.store import messages, read_marks, rooms

T = TypeVar("T")

# Guessed: what a first screen has space for.
_MENTIONS_SHOWN = 20


def home(chat: ChatContext, user: User) -> Home:
    """The first screen: four queries at the same time, each on a connection of its own."""

    def run(query: Callable[[Connection], T]) -> T:
        with chat.db.connection() as db:
            return query(db)

    with TaskGroup() as group:
        joined = group.go(run, lambda db: rooms.joined(db, user.id))
        counts = group.go(run, lambda db: read_marks.unread(db, user.id))
        mentions = group.go(run, lambda db: messages.mentioning(db, user.id, _MENTIONS_SHOWN))
        latest = group.go(run, lambda db: messages.latest_of_each_room(db, user.id))
    return Home(user, joined.get(), counts.get(), mentions.get(), latest.get())

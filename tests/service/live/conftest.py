"""Users, and the use cases in short words."""

from collections.abc import Callable
from itertools import count

import psycopg2
import pytest

from service.chat import messages, rooms
from service.chat.context import ChatContext
from service.chat.models import NewMessage, NewRoom, User

_numbers = count(1)


@pytest.fixture
def make_user(migrated_url: str) -> Callable[[], User]:
    """A new user, straight from the database."""

    def make() -> User:
        name = f"live{next(_numbers)}"
        connection = psycopg2.connect(migrated_url)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(
                "INSERT INTO users (name, display_name, password_hash) "
                "VALUES (%s, %s, '-') RETURNING id",
                (name, name),
            )
            (user_id,) = cursor.fetchone() or (0,)
        finally:
            connection.close()
        return User(user_id, name, name)

    return make


def room_of(chat: ChatContext, owner: User, *members: User) -> int:
    """A room; its log is at one event for each who is in it."""
    room = rooms.create(chat, owner, NewRoom(name="a room"))
    for member in members:
        rooms.put_member(chat, member, room.id, member.id, "member")
    return room.id


def send(chat: ChatContext, user: User, room_id: int, text: str = "hello") -> int:
    """The number of the message."""
    new = NewMessage(client_id=f"m{next(_numbers)}", body=text)
    return messages.send(chat, user, room_id, new)[0].seq

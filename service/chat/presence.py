"""Who is typing, and who is online."""

from __future__ import annotations

from msgspec import Struct

from service.chat.context import ChatContext
from service.chat.fanout.notices import Typing
from service.chat.models import Id, User
from service.chat.rooms import readable
from service.chat.store import presence as store
from service.errors import Forbidden


class Online(Struct, frozen=True):
    """The members of a room who have a stream open, by id."""

    user_ids: list[Id]


def tell_typing(chat: ChatContext, user: User, room_id: int) -> None:
    """Tell the members of the room that the user is typing."""
    with chat.db.connection() as db:
        room = readable(db, user, room_id)
    if room.role is None:
        raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")
    chat.tell(Typing(room_id, user))


def online(chat: ChatContext, user: User, room_id: int) -> Online:
    """The members of the room who have a stream open, in any process."""
    with chat.db.connection() as db:
        readable(db, user, room_id)
        return Online(store.online(db, room_id))

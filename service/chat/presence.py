"""Who types and who is there."""

from __future__ import annotations

from service.chat.chat import Chat
from service.chat.models import User
from service.chat.notices import Typing
from service.chat.rooms import readable
from service.errors import Forbidden


def tell_typing(chat: Chat, user: User, room_id: int) -> None:
    """Tell those who are in the room that the user is writing something."""
    with chat.db.connection() as db:
        room = readable(db, user, room_id)
    if room.role is None:
        raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")
    chat.tell(Typing(room_id, user))

"""Read marks: how far a user has read in each room, and what is unread after that."""

from __future__ import annotations

from service.chat.context import ChatContext
from service.chat.fanout.notices import ReadUpTo
from service.chat.models import ReadMark, Unread, UnreadCounts, User
from service.chat.rooms import readable
from service.chat.store import read_marks
from service.errors import Forbidden


def mark(chat: ChatContext, user: User, room_id: int, wanted: ReadMark) -> Unread:
    """Remember how far the user has read; a mark never moves back."""
    with chat.db.transaction() as db:
        if read_marks.mark(db, room_id, user.id, wanted.seq) is None:
            readable(db, user, room_id)
            raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")
        (unread,) = read_marks.unread(db, user.id, room_id)
    chat.tell(ReadUpTo(user.id, room_id, unread.read_seq))
    return unread


def unread(chat: ChatContext, user: User) -> UnreadCounts:
    """How many messages and mentions the user has not read, in all and room by room."""
    with chat.db.connection() as db:
        counts = read_marks.unread(db, user.id)
    return UnreadCounts(
        unread=sum(room.unread for room in counts),
        mentions=sum(room.mentions for room in counts),
        rooms=counts,
    )

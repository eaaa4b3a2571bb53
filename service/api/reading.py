"""The views about what has been read, and the first screen."""

from __future__ import annotations

from service.api.routes import Call, Routes
from service.chat import reading
from service.chat.models import Home, Id, ReadMark, Unread, UnreadCounts

routes = Routes("reading")


@routes.put("/rooms/{room_id}/read", errors=(403, 404))
def mark_read(call: Call, room_id: Id, body: ReadMark) -> Unread:
    """Say how far you have read; the mark never moves back."""
    return reading.mark(call.chat, call.user, room_id, body)


@routes.get("/unread")
def unread(call: Call) -> UnreadCounts:
    """What you have not read, in all and by room."""
    return reading.unread(call.chat, call.user)


@routes.get("/home")
def home(call: Call) -> Home:
    """Your rooms, what is unread, who mentioned you, and the latest message of each room."""
    return reading.home(call.chat, call.user)

"""The views about read marks, and the first screen."""

from __future__ import annotations

from service.api.routes import ApiCall, Routes
from service.chat import home as first_screen
from service.chat import read_marks
from service.chat.models import Home, Id, ReadMark, Unread, UnreadCounts

routes = Routes("reading")


@routes.put("/rooms/{room_id}/read", errors=(403, 404))
def mark_read(call: ApiCall, room_id: Id, body: ReadMark) -> Unread:
    """Say how far you have read; the mark never moves back."""
    return read_marks.mark(call.chat, call.user, room_id, body)


@routes.get("/unread")
def unread(call: ApiCall) -> UnreadCounts:
    """What you have not read, in all and by room."""
    return read_marks.unread(call.chat, call.user)


@routes.get("/home")
def home(call: ApiCall) -> Home:
    """Your rooms, what is unread, who mentioned you, and the latest message of each room."""
    return first_screen.home(call.chat, call.user)

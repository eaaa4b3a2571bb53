"""The views about messages and reactions."""

from __future__ import annotations

from service.api.routes import ApiCall, Reply, Routes
from service.chat import messages
from service.chat.models import (
    Emoji,
    Found,
    Id,
    Message,
    MessageChange,
    Messages,
    NewMessage,
    Page,
    Search,
)

routes = Routes("messages")


@routes.post(
    "/rooms/{room_id}/messages",
    status=201,
    also={200: "It had been sent before: the same `client_id` and text."},
    errors=(403, 404, 409),
)
def send_message(call: ApiCall, room_id: Id, body: NewMessage) -> Message:
    """Send a message. 201 means that it is stored for good; sending it again is safe."""
    message, is_new = messages.send(call.chat, call.user, room_id, body)
    return message if is_new else Reply(message, 200)  # type: ignore[return-value]


@routes.get("/rooms/{room_id}/messages", errors=(404,))
def list_messages(call: ApiCall, room_id: Id, query: Page) -> Messages:
    """History, in order: the latest, or what is before, after or around a message."""
    return messages.page(call.chat, call.user, room_id, query)


@routes.get("/rooms/{room_id}/messages/{seq}", errors=(404,))
def get_message(call: ApiCall, room_id: Id, seq: Id) -> Message:
    """One message."""
    return messages.get(call.chat, call.user, room_id, seq)


@routes.patch("/rooms/{room_id}/messages/{seq}", errors=(403, 404, 409))
def edit_message(call: ApiCall, room_id: Id, seq: Id, body: MessageChange) -> Message:
    """Give your message another text."""
    return messages.edit(call.chat, call.user, room_id, seq, body)


@routes.delete("/rooms/{room_id}/messages/{seq}", status=204, errors=(403, 404))
def delete_message(call: ApiCall, room_id: Id, seq: Id) -> None:
    """Delete your message, or any as an owner: its number stays, its text goes."""
    messages.delete(call.chat, call.user, room_id, seq)


@routes.put("/rooms/{room_id}/messages/{seq}/reactions/{emoji}", status=204, errors=(403, 404, 409))
def add_reaction(call: ApiCall, room_id: Id, seq: Id, emoji: Emoji) -> None:
    """React to a message."""
    messages.react(call.chat, call.user, room_id, seq, emoji)


@routes.delete("/rooms/{room_id}/messages/{seq}/reactions/{emoji}", status=204, errors=(403, 404))
def remove_reaction(call: ApiCall, room_id: Id, seq: Id, emoji: Emoji) -> None:
    """Take your reaction back."""
    messages.unreact(call.chat, call.user, room_id, seq, emoji)


@routes.get("/search", errors=(404,))
def search(call: ApiCall, query: Search) -> Found:
    """Messages with these words, in the rooms that you may read; `"…"`, `or` and `-` work."""
    return messages.search(call.chat, call.user, query)

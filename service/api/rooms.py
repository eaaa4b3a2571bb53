"""The views about rooms and who is in them."""

from __future__ import annotations

from service.api.routes import ApiCall, Routes
from service.chat import rooms
from service.chat.models import (
    Id,
    MemberPage,
    Members,
    NewMember,
    NewRoom,
    Room,
    RoomChange,
    Rooms,
    RoomScope,
)

routes = Routes("rooms")


@routes.post("/rooms", status=201)
def create_room(call: ApiCall, body: NewRoom) -> Room:
    """Make a room; you own it."""
    return rooms.create(call.chat, call.user, body)


@routes.get("/rooms")
def list_rooms(call: ApiCall, query: RoomScope) -> Rooms:
    """The rooms you are in, or the public ones."""
    return rooms.listing(call.chat, call.user, query)


@routes.get("/rooms/{room_id}", errors=(404,))
def get_room(call: ApiCall, room_id: Id) -> Room:
    """One room; a private one is shown to its members only."""
    return rooms.get(call.chat, call.user, room_id)


@routes.patch("/rooms/{room_id}", errors=(403, 404))
def change_room(call: ApiCall, room_id: Id, body: RoomChange) -> Room:
    """Change a room that you own."""
    return rooms.change(call.chat, call.user, room_id, body)


@routes.delete("/rooms/{room_id}", status=204, errors=(403, 404))
def delete_room(call: ApiCall, room_id: Id) -> None:
    """Delete a room that you own, with all its messages."""
    rooms.delete(call.chat, call.user, room_id)


@routes.get("/rooms/{room_id}/members", errors=(404,))
def list_members(call: ApiCall, room_id: Id, query: MemberPage) -> Members:
    """Who is in the room."""
    return rooms.members(call.chat, call.user, room_id, query)


@routes.put("/rooms/{room_id}/members/{user_id}", status=204, errors=(403, 404, 409))
def put_member(call: ApiCall, room_id: Id, user_id: Id, body: NewMember) -> None:
    """Join a public room with your own id; invite somebody; or, as an owner, change a role."""
    rooms.put_member(call.chat, call.user, room_id, user_id, body.role)


@routes.delete("/rooms/{room_id}/members/{user_id}", status=204, errors=(403, 404, 409))
def remove_member(call: ApiCall, room_id: Id, user_id: Id) -> None:
    """Leave with your own id; or, as an owner, remove somebody."""
    rooms.remove_member(call.chat, call.user, room_id, user_id)

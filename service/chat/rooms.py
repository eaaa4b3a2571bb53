"""Make, find, change and leave rooms.

Anyone may read and join a public room. Only its members can see a private room: everybody else gets
the error of a room that does not exist. Members may invite; owners may do the rest.
"""

from __future__ import annotations

from colorless.postgres import Connection
from service.chat.context import ChatContext
from service.chat.fanout.notices import JoinedRoom
from service.chat.models import (
    MemberPage,
    Members,
    NewRoom,
    Role,
    Room,
    RoomChange,
    Rooms,
    RoomScope,
    User,
)
from service.chat.store import events
from service.chat.store import rooms as store
from service.errors import Conflict, Forbidden, InvalidInput, NotFound


def create(chat: ChatContext, user: User, new: NewRoom) -> Room:
    """A new room, with the user as its owner."""
    with chat.db.connection() as db:
        room = store.insert(db, user.id, new.name.strip(), new.topic, new.visibility)
    chat.announce(room.id, room.last_event)
    chat.tell(JoinedRoom(user.id))
    return room


def listing(chat: ChatContext, user: User, scope: RoomScope) -> Rooms:
    """A page of the rooms the user is in, or of the public ones."""
    find = store.joined if scope.scope == "joined" else store.public
    with chat.db.connection() as db:
        found = find(db, user.id, scope.after, scope.limit + 1)
    page = found[: scope.limit]
    return Rooms(page, next=page[-1].id if len(found) > scope.limit else None)


def get(chat: ChatContext, user: User, room_id: int) -> Room:
    """The room, if the user may see it."""
    with chat.db.connection() as db:
        return readable(db, user, room_id)


def change(chat: ChatContext, user: User, room_id: int, wanted: RoomChange) -> Room:
    """Change a room that one owns."""
    if wanted == RoomChange():
        raise InvalidInput("give at least one of name, topic and visibility")
    with chat.db.transaction() as db:
        _owned(db, user, room_id)
        store.update(db, room_id, wanted)
        event = events.append(db, room_id, "room.changed", user.id)
        room = readable(db, user, room_id)
    chat.announce(room_id, event)
    return room


def delete(chat: ChatContext, user: User, room_id: int) -> None:
    """Delete a room that one owns, with all that is in it."""
    with chat.db.transaction() as db:
        room = _owned(db, user, room_id)
        store.delete(db, room_id)
    # The log was deleted with the room: log readers that look for this event find that it is gone.
    chat.announce(room_id, room.last_event + 1)


def members(chat: ChatContext, user: User, room_id: int, page: MemberPage) -> Members:
    """A page of those who are in the room."""
    with chat.db.connection() as db:
        readable(db, user, room_id)
        found = store.members(db, room_id, page.after, page.limit + 1)
    shown = found[: page.limit]
    return Members(shown, next=shown[-1].user.id if len(found) > page.limit else None)


def put_member(
    chat: ChatContext, user: User, room_id: int, member_id: int, wanted: Role | None = None
) -> None:
    """Join a public room, invite somebody, or give a member another role."""
    with chat.db.transaction() as db:
        room = _locked(db, user, room_id)
        if not store.user_exists(db, member_id):
            raise NotFound(f"there is no user {member_id}")
        present = store.role(db, room_id, member_id)
        role = wanted or present or "member"
        if present == role:
            return
        _allow_member(room, user, member_id, role, present)
        if present == "owner":
            _refuse_losing_the_last_owner(db, room_id, member_id)
        store.set_member(db, room_id, member_id, role)
        event = events.append(db, room_id, "member.joined", user.id, user_id=member_id, detail=role)
    chat.announce(room_id, event)
    if present is None:
        chat.tell(JoinedRoom(member_id))


def remove_member(chat: ChatContext, user: User, room_id: int, member_id: int) -> None:
    """Leave a room, or remove somebody from one that one owns."""
    with chat.db.transaction() as db:
        room = _locked(db, user, room_id)
        if member_id != user.id and room.role != "owner":
            raise Forbidden("only an owner may remove somebody else")
        if store.role(db, room_id, member_id) is None:
            raise NotFound(f"user {member_id} is not in room {room_id}")
        _refuse_losing_the_last_owner(db, room_id, member_id)
        store.delete_member(db, room_id, member_id)
        event = events.append(db, room_id, "member.left", user.id, user_id=member_id)
    chat.announce(room_id, event)


def readable(db: Connection, user: User, room_id: int) -> Room:
    """The room. Raises :class:`NotFound` if there is none or the user may not see it."""
    room = store.visible(db, room_id, user.id)
    if room is None:
        raise no_room(room_id)
    return room


def _locked(db: Connection, user: User, room_id: int) -> Room:
    room = store.lock_and_get(db, room_id, user.id)
    if room is None:
        raise no_room(room_id)
    return room


def _owned(db: Connection, user: User, room_id: int) -> Room:
    room = _locked(db, user, room_id)
    if room.role != "owner":
        raise Forbidden("only an owner of the room may do that")
    return room


def _allow_member(room: Room, user: User, member_id: int, role: Role, present: Role | None) -> None:
    joins = room.visibility == "public" and member_id == user.id and role == "member"
    if present is None and joins:
        return
    if room.role is None:
        raise Forbidden("join the room before you invite somebody to it")
    if (role == "owner" or present is not None) and room.role != "owner":
        raise Forbidden("only an owner may make owners or change roles")


def _refuse_losing_the_last_owner(db: Connection, room_id: int, member_id: int) -> None:
    if store.owners(db, room_id) == [member_id]:
        raise Conflict("a room needs an owner: make another member owner, or delete the room")


def no_room(room_id: int) -> NotFound:
    """The error for a room that does not exist, and for one that the user may not see."""
    return NotFound(f"there is no room {room_id}")

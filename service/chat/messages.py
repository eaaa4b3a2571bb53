"""Send, read, edit and delete messages, and react to them.

A message is acknowledged when it is committed, never before. Its number comes from the room's
counter in the transaction that stores it, so the numbers of a room have no gap, and their order
is the order of the commits.
"""

from __future__ import annotations

import hashlib
import re
from typing import NoReturn

from psycopg2.errors import UniqueViolation

from colorless.postgres import Connection
from service.chat.context import ChatContext
from service.chat.links import links
from service.chat.models import (
    Found,
    Message,
    MessageChange,
    Messages,
    NewMessage,
    Page,
    Room,
    Search,
    User,
)
from service.chat.rooms import no_room, readable
from service.chat.store import events, history, previews
from service.chat.store import messages as store
from service.chat.store import rooms as room_store
from service.errors import Conflict, Forbidden, InvalidInput, NotFound

# `@` and a user name, with no word character before or behind it.
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)(?!\w)")

# Guessed: enough for any real room, and it bounds what one message can cost to read.
_KINDS_OF_REACTION = 50


def send(chat: ChatContext, user: User, room_id: int, new: NewMessage) -> tuple[Message, bool]:
    """The message, and whether it is new: the same ``client_id`` and text again is the same
    message. Raises :class:`Conflict` where the client id was used for another text."""
    digest = _digest(new)
    with chat.db.connection() as db:
        try:
            stored = store.insert(
                db,
                room_id,
                user,
                new.client_id,
                digest,
                new.body,
                new.reply_to,
                _names(new.body),
                links(new.body),
            )
        except UniqueViolation:
            return _sent_before(db, user, room_id, new, digest), False
        if stored is None:
            _raise_why_not(db, user, room_id, new)
    message, event = stored
    chat.announce(room_id, event)
    return message, True


def page(chat: ChatContext, user: User, room_id: int, wanted: Page) -> Messages:
    """A part of the history, in order."""
    given = [name for name in ("before", "after", "around") if getattr(wanted, name) is not None]
    if len(given) > 1:
        raise InvalidInput("before, after and around exclude each other", field=given[1])
    with chat.db.connection() as db:
        part = _find(db, user, room_id, wanted)
    if part is None:
        raise no_room(room_id)
    last, found = part
    if not found:  # every message is on the other side of the position
        some = last > 0
        return Messages([], some and wanted.before is None, some and wanted.before is not None)
    # Numbers have no gap, so those at the ends tell whether there are more.
    return Messages(found, found[0].seq > 1, found[-1].seq < last)


def get(chat: ChatContext, user: User, room_id: int, seq: int) -> Message:
    """One message."""
    with chat.db.connection() as db:
        readable(db, user, room_id)
        return _existing(db, room_id, seq)


def edit(chat: ChatContext, user: User, room_id: int, seq: int, wanted: MessageChange) -> Message:
    """Give a message of one's own another text; the time of the edit is kept."""
    with chat.db.transaction() as db:
        _locked(db, user, room_id)
        message = _existing(db, room_id, seq)
        if message.author.id != user.id:
            raise Forbidden("only its author may edit a message")
        _refuse_deleted(message)
        store.update(db, room_id, seq, wanted.body, _names(wanted.body))
        previews.replace(db, room_id, seq, links(wanted.body))
        event = events.append(db, room_id, "message.edited", user.id, message_seq=seq)
        message = _existing(db, room_id, seq)
    chat.announce(room_id, event)
    return message


def delete(chat: ChatContext, user: User, room_id: int, seq: int) -> None:
    """Delete a message of one's own, or any as an owner of the room; its number stays."""
    with chat.db.transaction() as db:
        room = _locked(db, user, room_id)
        message = _existing(db, room_id, seq)
        if message.author.id != user.id and room.role != "owner":
            raise Forbidden("only its author and the room's owners may delete a message")
        if message.deleted_at is not None:
            return
        store.delete(db, room_id, seq)
        event = events.append(db, room_id, "message.deleted", user.id, message_seq=seq)
    chat.announce(room_id, event)


def react(chat: ChatContext, user: User, room_id: int, seq: int, emoji: str) -> None:
    """Add a reaction; the same one again changes nothing."""
    with chat.db.transaction() as db:
        _locked(db, user, room_id)
        _refuse_deleted(_existing(db, room_id, seq))
        if not store.add_reaction(db, room_id, seq, emoji, user.id):
            return
        if store.kinds_of_reaction(db, room_id, seq) > _KINDS_OF_REACTION:
            raise Conflict(f"a message has at most {_KINDS_OF_REACTION} kinds of reaction")
        event = events.append(db, room_id, "reaction.added", user.id, message_seq=seq, detail=emoji)
    chat.announce(room_id, event)


def unreact(chat: ChatContext, user: User, room_id: int, seq: int, emoji: str) -> None:
    """Take a reaction back; one that is not there changes nothing."""
    with chat.db.transaction() as db:
        _locked(db, user, room_id)
        _existing(db, room_id, seq)
        if not store.delete_reaction(db, room_id, seq, emoji, user.id):
            return
        event = events.append(
            db, room_id, "reaction.removed", user.id, message_seq=seq, detail=emoji
        )
    chat.announce(room_id, event)


def search(chat: ChatContext, user: User, wanted: Search) -> Found:
    """Messages with these words, in the rooms that the user may read, the newest first."""
    with chat.db.connection() as db:
        if wanted.room_id is not None:
            readable(db, user, wanted.room_id)
        return Found(store.search(db, user.id, wanted.q, wanted.room_id, wanted.limit))


def _find(db: Connection, user: User, room_id: int, wanted: Page) -> history.Part | None:
    if wanted.after is not None:
        return history.after(db, user.id, room_id, wanted.after, wanted.limit)
    if wanted.around is None:
        return history.before(db, user.id, room_id, wanted.before, wanted.limit)
    older = history.before(db, user.id, room_id, wanted.around, wanted.limit // 2)
    if older is None:
        return None
    left = wanted.limit - len(older.messages)
    newer = history.after(db, user.id, room_id, wanted.around - 1, left)
    return newer and history.Part(newer.last_message, older.messages + newer.messages)


def _sent_before(
    db: Connection, user: User, room_id: int, new: NewMessage, digest: bytes
) -> Message:
    found = store.by_client_id(db, room_id, user.id, new.client_id)
    if found is None:
        raise no_room(room_id)  # the room was deleted meanwhile
    message, first = found
    if first != digest:
        raise Conflict(
            f"client_id {new.client_id!r} was used for another message here; "
            "choose a new one for each message"
        )
    return message


def _raise_why_not(db: Connection, user: User, room_id: int, new: NewMessage) -> NoReturn:
    room = readable(db, user, room_id)
    if room.role is not None and new.reply_to is not None:
        raise InvalidInput(f"there is no message {new.reply_to} to reply to", field="reply_to")
    raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")


def _locked(db: Connection, user: User, room_id: int) -> Room:
    """The room, for a member, with nobody else writing to it until the transaction ends."""
    room = room_store.lock_and_get(db, room_id, user.id)
    if room is None:
        raise no_room(room_id)
    if room.role is None:
        raise Forbidden(f"join the room first: PUT /v1/rooms/{room_id}/members/{user.id}")
    return room


def _existing(db: Connection, room_id: int, seq: int) -> Message:
    message = store.one(db, room_id, seq)
    if message is None:
        raise NotFound(f"there is no message {seq} in room {room_id}")
    return message


def _refuse_deleted(message: Message) -> None:
    if message.deleted_at is not None:
        raise Conflict(f"message {message.seq} is deleted")


def _digest(new: NewMessage) -> bytes:
    return hashlib.sha256(f"{new.reply_to}\n{new.body}".encode()).digest()


def _names(body: str) -> list[str]:
    """The names in the text as ``@name``, in lower case."""
    return sorted({name.lower() for name in _MENTION.findall(body)})

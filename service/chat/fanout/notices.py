"""Notices: what the processes of the service tell each other.

A notice is a hint to read the database, or is about something ephemeral. So one may be lost, late,
doubled or out of order; what must not be lost is in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from service.chat.models import User


class LogGrew(Struct, frozen=True, array_like=True, tag="e"):
    """A room's log has an event ``seq``."""

    room_id: int
    seq: int


class JoinedRoom(Struct, frozen=True, array_like=True, tag="j"):
    """The user is a member of one more room."""

    user_id: int


class SessionRevoked(Struct, frozen=True, array_like=True, tag="x"):
    """A session of the user has ended; ``session`` is its token's hash."""

    user_id: int
    session: bytes


class ReadUpTo(Struct, frozen=True, array_like=True, tag="m"):
    """The user has read a room up to the message ``seq``."""

    user_id: int
    room_id: int
    seq: int


class Typing(Struct, frozen=True, array_like=True, tag="t"):
    """The user is writing something in a room."""

    room_id: int
    user: User


class Presence(Struct, frozen=True, array_like=True, tag="p"):
    """The user came online or went offline; ``room_ids`` are the rooms to show it in."""

    user_id: int
    online: bool
    room_ids: tuple[int, ...]


Notice = LogGrew | JoinedRoom | SessionRevoked | ReadUpTo | Typing | Presence

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(list[Notice])


def encode(notices: Iterable[Notice], limit: int) -> Iterator[bytes]:
    """Payloads of at most ``limit`` bytes each, which :func:`decode` reads. A notice that is longer
    than that is left out."""
    text = b""
    for piece in map(_encode, notices):
        if len(piece) + 2 > limit:
            continue
        if text and len(text) + len(piece) + 2 > limit:
            yield b"[" + text + b"]"
            text = b""
        text = text + b"," + piece if text else piece
    if text:
        yield b"[" + text + b"]"


def decode(text: bytes | str) -> list[Notice]:
    """The notices in a payload. Raises ``msgspec.DecodeError`` if it is not one of ours."""
    return _decoder.decode(text)

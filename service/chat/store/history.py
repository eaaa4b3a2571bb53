"""The SQL about a room's messages in their order: parts of the history.

Whether the user may read the room is asked in the same statement, so a part is one round trip.
"""

from __future__ import annotations

from typing import NamedTuple

from colorless.postgres import Connection
from service.chat.models import Message
from service.chat.store.messages import MESSAGE, message

_PART = """
SELECT r.last_message, part.* FROM rooms r
LEFT JOIN LATERAL (
    SELECT {message} FROM messages m JOIN users u ON u.id = m.author_id
    WHERE m.room_id = r.id AND m.seq {where} ORDER BY m.seq {order} LIMIT %s
) part ON true
WHERE r.id = %s AND (r.visibility = 'public' OR EXISTS (
    SELECT 1 FROM members b WHERE b.room_id = r.id AND b.user_id = %s))
ORDER BY part.seq
"""
_BEFORE = _PART.format(message=MESSAGE, where="< coalesce(%s, r.last_message + 1)", order="DESC")
_AFTER = _PART.format(message=MESSAGE, where="> %s", order="ASC")


class Part(NamedTuple):
    """Some messages of a room, and the number of its last one."""

    last_message: int
    messages: list[Message]


def before(db: Connection, user_id: int, room_id: int, seq: int | None, limit: int) -> Part | None:
    """The last messages, those below ``seq`` if that is given; ``None`` where there is no such
    room, or the user may not see it."""
    return _part(db, _BEFORE, (seq, limit, room_id, user_id))


def after(db: Connection, user_id: int, room_id: int, seq: int, limit: int) -> Part | None:
    """The first messages above ``seq``; ``None`` as :func:`before` says."""
    return _part(db, _AFTER, (seq, limit, room_id, user_id))


def _part(db: Connection, sql: str, params: tuple[int | None, ...]) -> Part | None:
    rows = db.fetch_all(sql, params)
    if not rows:
        return None
    first = rows[0]
    if first[1] is None:  # a room without such messages
        return Part(first[0], [])
    return Part(first[0], [message(row[1:]) for row in rows])

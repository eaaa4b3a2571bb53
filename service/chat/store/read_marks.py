"""The SQL about read marks."""

from __future__ import annotations

from colorless.postgres import Connection
from service.chat.models import Unread


def mark(db: Connection, room_id: int, user_id: int, seq: int) -> int | None:
    """Move the mark on to ``seq``, never back and never past the last message; returns where it
    is now, or ``None`` for one who is not in the room."""
    row = db.fetch_one(
        "UPDATE members m SET read_seq = greatest(m.read_seq, least(%s, r.last_message)) "
        "FROM rooms r WHERE r.id = m.room_id AND m.room_id = %s AND m.user_id = %s "
        "RETURNING m.read_seq",
        (seq, room_id, user_id),
    )
    return row[0] if row else None


def unread(db: Connection, user_id: int, room_id: int | None = None) -> list[Unread]:
    """What the user has not read, for each room it is in or for one."""
    rows = db.fetch_all(
        "SELECT r.id, m.read_seq, r.last_message - m.read_seq, "
        "(SELECT count(*) FROM mentions n WHERE n.user_id = m.user_id AND n.room_id = r.id "
        " AND n.seq > m.read_seq) "
        "FROM members m JOIN rooms r ON r.id = m.room_id "
        "WHERE m.user_id = %(user)s AND (%(room)s::bigint IS NULL OR r.id = %(room)s::bigint) "
        "ORDER BY r.id",
        {"user": user_id, "room": room_id},
    )
    return [Unread(*row) for row in rows]

"""The SQL about a room's log of events."""

from __future__ import annotations

from colorless.postgres import Connection


def append(
    db: Connection,
    room_id: int,
    kind: str,
    actor_id: int,
    *,
    message_seq: int | None = None,
    user_id: int | None = None,
    detail: str | None = None,
) -> int:
    """Give the event the room's next number, and return it. Holds the room until the commit."""
    row = db.fetch_one(
        "WITH room AS (UPDATE rooms SET last_event = last_event + 1 WHERE id = %s "
        "RETURNING id, last_event) "
        "INSERT INTO events (room_id, seq, kind, actor_id, message_seq, user_id, detail) "
        "SELECT id, last_event, %s, %s, %s, %s, %s FROM room RETURNING seq",
        (room_id, kind, actor_id, message_seq, user_id, detail),
    )
    assert row is not None, "the room was there when its row was locked"
    return row[0]

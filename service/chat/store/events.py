"""The SQL about a room's log of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from colorless.postgres import Connection
from service.chat.models import User


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


class Entry(NamedTuple):
    """A row of the log, with the people it speaks of and what the room is now."""

    room_id: int
    seq: int
    kind: str
    message_seq: int | None
    detail: Any
    at: datetime
    actor: User
    user: User | None
    room: tuple[Any, ...]


def after(db: Connection, positions: Mapping[int, int], limit: int) -> list[Entry]:
    """The entries behind each room's position, at most ``limit`` for each room, in order."""
    rows = db.fetch_all(
        "SELECT e.room_id, e.seq, e.kind, e.message_seq, e.detail, e.created_at, "
        "a.id, a.name, a.display_name, u.id, u.name, u.display_name, r.name, r.topic, r.visibility "
        "FROM unnest(%s::bigint[], %s::bigint[]) AS p (room_id, seq) "
        "JOIN rooms r ON r.id = p.room_id "
        "CROSS JOIN LATERAL (SELECT * FROM events x WHERE x.room_id = p.room_id AND x.seq > p.seq "
        "                    ORDER BY x.seq LIMIT %s) e "
        "JOIN users a ON a.id = e.actor_id LEFT JOIN users u ON u.id = e.user_id "
        "ORDER BY e.room_id, e.seq",
        (list(positions), list(positions.values()), limit),
    )
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    room_id, seq, kind, message_seq, detail, at, *people_and_room = row
    actor = User(*people_and_room[:3])
    user = User(*people_and_room[3:6]) if people_and_room[3] else None
    room = tuple(people_and_room[6:])
    return Entry(room_id, seq, kind, message_seq, detail, at, actor, user, room)


def positions(db: Connection, room_ids: Iterable[int]) -> dict[int, int]:
    """How far the log of each room has come; a room that is not there is not in the answer."""
    return dict(
        db.fetch_all("SELECT id, last_event FROM rooms WHERE id = ANY(%s)", (list(room_ids),))
    )


def positions_of_member(db: Connection, user_id: int) -> dict[int, int]:
    """How far the log of each of the user's rooms has come."""
    return dict(
        db.fetch_all(
            "SELECT r.id, r.last_event FROM members m JOIN rooms r ON r.id = m.room_id "
            "WHERE m.user_id = %s ORDER BY r.id",
            (user_id,),
        )
    )


def rooms_of_members(db: Connection, user_ids: Iterable[int]) -> dict[int, set[int]]:
    """The rooms of each of these users."""
    rows = db.fetch_all(
        "SELECT user_id, array_agg(room_id) FROM members WHERE user_id = ANY(%s) GROUP BY user_id",
        (list(user_ids),),
    )
    return {user_id: set(room_ids) for user_id, room_ids in rows}

"""The SQL about rooms and members.

A transaction that changes a room first locks the room's row, which has its counters; the next one
waits for the lock and sees what this one has committed.
"""

from __future__ import annotations

from colorless.postgres import Connection
from service.chat.models import Member, Role, Room, RoomChange, User

_ROOM = "r.id, r.name, r.topic, r.visibility, r.created_at, r.last_message, r.last_event"


def insert(db: Connection, owner_id: int, name: str, topic: str, visibility: str) -> Room:
    """Make a room with its first member, the owner."""
    row = db.fetch_one(
        f"""
        WITH r AS (
            INSERT INTO rooms (name, topic, visibility, last_event) VALUES (%s, %s, %s, 1)
            RETURNING *
        ), member AS (
            INSERT INTO members (room_id, user_id, role) SELECT id, %s, 'owner' FROM r
        ), event AS (
            INSERT INTO events (room_id, seq, kind, actor_id, user_id, detail)
            SELECT id, 1, 'member.joined', %s, %s, 'owner' FROM r
        )
        SELECT {_ROOM}, 'owner' FROM r
        """,
        (name, topic, visibility, owner_id, owner_id, owner_id),
    )
    assert row is not None
    return Room(*row)


def visible(db: Connection, room_id: int, user_id: int) -> Room | None:
    """The room as the user sees it; ``None`` where it may not see it."""
    row = db.fetch_one(
        f"SELECT {_ROOM}, m.role FROM rooms r "
        "LEFT JOIN members m ON m.room_id = r.id AND m.user_id = %s "
        "WHERE r.id = %s AND (r.visibility = 'public' OR m.user_id IS NOT NULL)",
        (user_id, room_id),
    )
    return Room(*row) if row else None


def lock(db: Connection, room_id: int) -> bool:
    """Lock the room's row until the transaction ends; returns whether there is such a room."""
    return db.fetch_one("SELECT id FROM rooms WHERE id = %s FOR UPDATE", (room_id,)) is not None


def lock_and_get(db: Connection, room_id: int, user_id: int) -> Room | None:
    """As :func:`visible`, with the room's row locked until the transaction ends."""
    if not lock(db, room_id):
        return None
    # A second statement, so that it sees what was committed while this one waited for the lock.
    return visible(db, room_id, user_id)


def joined(db: Connection, user_id: int, after: int = 0, limit: int | None = None) -> list[Room]:
    """The rooms that the user is in, by id, those behind ``after``."""
    rows = db.fetch_all(
        f"SELECT {_ROOM}, m.role FROM members m JOIN rooms r ON r.id = m.room_id "
        "WHERE m.user_id = %s AND r.id > %s ORDER BY r.id LIMIT %s",
        (user_id, after, limit),
    )
    return [Room(*row) for row in rows]


def public(db: Connection, user_id: int, after: int, limit: int) -> list[Room]:
    """The public rooms, by id, those behind ``after``."""
    rows = db.fetch_all(
        f"SELECT {_ROOM}, m.role FROM rooms r "
        "LEFT JOIN members m ON m.room_id = r.id AND m.user_id = %s "
        "WHERE r.visibility = 'public' AND r.id > %s ORDER BY r.id LIMIT %s",
        (user_id, after, limit),
    )
    return [Room(*row) for row in rows]


def update(db: Connection, room_id: int, change: RoomChange) -> None:
    """Change what is given."""
    name = change.name and change.name.strip()
    db.execute(
        "UPDATE rooms SET name = coalesce(%s, name), topic = coalesce(%s, topic), "
        "visibility = coalesce(%s, visibility) WHERE id = %s",
        (name, change.topic, change.visibility, room_id),
    )


def delete(db: Connection, room_id: int) -> None:
    """Remove the room and all that was in it."""
    db.execute("DELETE FROM rooms WHERE id = %s", (room_id,))


def members(db: Connection, room_id: int, after: int, limit: int) -> list[Member]:
    """Those who are in the room, by user id, those behind ``after``."""
    rows = db.fetch_all(
        "SELECT u.id, u.name, u.display_name, m.role, m.joined_at "
        "FROM members m JOIN users u ON u.id = m.user_id "
        "WHERE m.room_id = %s AND m.user_id > %s ORDER BY m.user_id LIMIT %s",
        (room_id, after, limit),
    )
    return [Member(User(*row[:3]), row[3], row[4]) for row in rows]


def role(db: Connection, room_id: int, user_id: int) -> Role | None:
    """What the user is in the room; ``None`` if it is not in it."""
    row = db.fetch_one(
        "SELECT role FROM members WHERE room_id = %s AND user_id = %s", (room_id, user_id)
    )
    return row[0] if row else None


def user_exists(db: Connection, user_id: int) -> bool:
    """Whether there is such a user."""
    return db.fetch_one("SELECT 1 FROM users WHERE id = %s", (user_id,)) is not None


def set_member(db: Connection, room_id: int, user_id: int, role: Role) -> None:
    """Put the user into the room, or give it another role there. A new member has read it all."""
    db.execute(
        "INSERT INTO members (room_id, user_id, role, read_seq) "
        "SELECT id, %s, %s, last_message FROM rooms WHERE id = %s "
        "ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role",
        (user_id, role, room_id),
    )


def delete_member(db: Connection, room_id: int, user_id: int) -> None:
    """Take the user out of the room."""
    db.execute("DELETE FROM members WHERE room_id = %s AND user_id = %s", (room_id, user_id))


def owners(db: Connection, room_id: int) -> list[int]:
    """The ids of the owners."""
    rows = db.fetch_all(
        "SELECT user_id FROM members WHERE room_id = %s AND role = 'owner'", (room_id,)
    )
    return [row[0] for row in rows]

"""The SQL about who is connected: a lease for each user and process, which ends by itself."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from colorless.postgres import Connection


def renew(db: Connection, process: UUID, user_ids: Collection[int], seconds: float) -> list[int]:
    """Say that these users are connected to this process; returns those who were nowhere yet."""
    rows = db.fetch_all(
        "WITH before AS (SELECT user_id FROM presence "
        "                WHERE user_id = ANY(%(users)s) AND expires_at > now()), "
        "lease AS (INSERT INTO presence (user_id, process, expires_at) "
        "          SELECT id, %(process)s, now() + make_interval(secs => %(seconds)s) "
        "          FROM unnest(%(users)s) AS id ORDER BY id "
        "          ON CONFLICT (user_id, process) DO UPDATE SET expires_at = excluded.expires_at) "
        "SELECT unnest(%(users)s) EXCEPT SELECT user_id FROM before",
        {"users": list(user_ids), "process": str(process), "seconds": seconds},
    )
    return [row[0] for row in rows]


def leave(db: Connection, process: UUID, user_ids: Collection[int]) -> list[int]:
    """Say that they are not connected to it any more; returns those who are nowhere now."""
    rows = db.fetch_all(
        "WITH ended AS (DELETE FROM presence WHERE process = %(process)s "
        "               AND user_id = ANY(%(users)s)) "
        "SELECT id FROM unnest(%(users)s) AS id WHERE NOT EXISTS ("
        "    SELECT 1 FROM presence p WHERE p.user_id = id AND p.process <> %(process)s "
        "    AND p.expires_at > now())",
        {"users": list(user_ids), "process": str(process)},
    )
    return [row[0] for row in rows]


def expire(db: Connection) -> list[int]:
    """End the leases of processes that are gone; returns the users who are nowhere now. Of
    several processes that ask, one gets each."""
    rows = db.fetch_all(
        "WITH ended AS (DELETE FROM presence WHERE expires_at <= now() RETURNING user_id) "
        "SELECT DISTINCT e.user_id FROM ended e WHERE NOT EXISTS ("
        "    SELECT 1 FROM presence p WHERE p.user_id = e.user_id AND p.expires_at > now())",
        (),
    )
    return [row[0] for row in rows]


def online(db: Connection, room_id: int) -> list[int]:
    """The members of the room who are connected, by id."""
    rows = db.fetch_all(
        "SELECT DISTINCT p.user_id FROM members m JOIN presence p ON p.user_id = m.user_id "
        "WHERE m.room_id = %s AND p.expires_at > now() ORDER BY p.user_id",
        (room_id,),
    )
    return [row[0] for row in rows]

"""The SQL about users and their sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from colorless.postgres import Connection
from service.chat.models import User


def insert(db: Connection, name: str, display_name: str, password_hash: str) -> User | None:
    """The new user, or ``None`` if the name is taken."""
    row = db.fetch_one(
        "INSERT INTO users (name, display_name, password_hash) VALUES (%s, %s, %s) "
        "ON CONFLICT (name) DO NOTHING RETURNING id, name, display_name",
        (name, display_name, password_hash),
    )
    return User(*row) if row else None


def with_password(db: Connection, name: str) -> tuple[User, str] | None:
    """The user of that name and its password hash."""
    row = db.fetch_one(
        "SELECT id, name, display_name, password_hash FROM users WHERE name = %s", (name,)
    )
    return (User(*row[:3]), row[3]) if row else None


def set_password(db: Connection, user_id: int, password_hash: str) -> None:
    """Store another hash of the password: one with today's parameters."""
    db.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, user_id))


def insert_session(db: Connection, token_hash: bytes, user_id: int, days: int) -> datetime:
    """Remember a token for so many days; returns when it expires."""
    row = db.fetch_one(
        "INSERT INTO sessions (token_hash, user_id, expires_at) "
        "VALUES (%s, %s, now() + make_interval(days => %s)) RETURNING expires_at",
        (token_hash, user_id, days),
    )
    assert row is not None
    return row[0]


def by_token(db: Connection, token_hash: bytes) -> User | None:
    """The user of a token, if it has not expired."""
    row = db.fetch_one(
        "SELECT u.id, u.name, u.display_name FROM sessions s JOIN users u ON u.id = s.user_id "
        "WHERE s.token_hash = %s AND s.expires_at > now()",
        (token_hash,),
    )
    return User(*row) if row else None


def delete_session(db: Connection, token_hash: bytes) -> int | None:
    """Delete the session of a token; returns the id of its user, or ``None`` if there is none."""
    row = db.fetch_one(
        "DELETE FROM sessions WHERE token_hash = %s RETURNING user_id", (token_hash,)
    )
    return row[0] if row else None


def delete_expired_sessions(db: Connection, user_id: int) -> None:
    """Delete the user's expired sessions, so that the table does not grow for ever."""
    db.execute("DELETE FROM sessions WHERE user_id = %s AND expires_at <= now()", (user_id,))


def set_ticket(db: Connection, token_hash: bytes, ticket_hash: bytes) -> datetime | None:
    """Give the session a ticket; returns when both expire, ``None`` if it has ended."""
    row = db.fetch_one(
        "UPDATE sessions SET ticket_hash = %s WHERE token_hash = %s AND expires_at > now() "
        "RETURNING expires_at",
        (ticket_hash, token_hash),
    )
    return row[0] if row else None


def by_ticket(db: Connection, ticket_hash: bytes) -> tuple[User, bytes] | None:
    """The user of a ticket and the token hash of its session, if that has not expired."""
    row = db.fetch_one(
        "SELECT u.id, u.name, u.display_name, s.token_hash "
        "FROM sessions s JOIN users u ON u.id = s.user_id "
        "WHERE s.ticket_hash = %s AND s.expires_at > now()",
        (ticket_hash,),
    )
    return (User(*row[:3]), bytes(row[3])) if row else None


def valid_sessions(db: Connection, token_hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the sessions that have neither ended nor expired."""
    rows = db.fetch_all(
        "SELECT token_hash FROM sessions WHERE token_hash = ANY(%s) AND expires_at > now()",
        (list(token_hashes),),
    )
    return {bytes(row[0]) for row in rows}

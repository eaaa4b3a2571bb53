"""The SQL about messages. A message gets its number in the statement that stores it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from colorless.postgres import Connection
from service.chat.links import Link
from service.chat.models import Message, Preview, Reaction, User

MESSAGE = """
    m.room_id, m.seq, u.id, u.name, u.display_name, m.client_id, m.body, m.reply_to,
    m.created_at, m.edited_at, m.deleted_at,
    (SELECT json_agg(json_build_object('emoji', emoji, 'user_ids', user_ids) ORDER BY emoji)::text
     FROM (SELECT emoji, json_agg(user_id ORDER BY user_id) AS user_ids FROM reactions x
           WHERE x.room_id = m.room_id AND x.seq = m.seq GROUP BY emoji) given),
    CASE WHEN position('://' IN m.body) > 0 THEN
    (SELECT json_agg(json_build_object('url', url, 'title', title, 'description', description,
            'image_url', image_url, 'site_name', site_name) ORDER BY position)::text
     FROM previews p WHERE p.room_id = m.room_id AND p.seq = m.seq AND p.state = 'ready') END
"""
_FROM = "FROM messages m JOIN users u ON u.id = m.author_id"


# The JSON is cast to text and decoded here: psycopg2 would call its decoder for every NULL too.
_reactions = msgspec.json.Decoder(list[Reaction]).decode
_previews = msgspec.json.Decoder(list[Preview]).decode


def message(row: tuple[Any, ...]) -> Message:
    """The message in a row of :data:`MESSAGE`."""
    room_id, seq, user_id, name, display_name, client_id, body, reply_to, *rest = row
    created_at, edited_at, deleted_at, reactions, previews = rest
    return Message(
        room_id,
        seq,
        User(user_id, name, display_name),
        client_id,
        body,
        reply_to,
        created_at,
        edited_at,
        deleted_at,
        _reactions(reactions) if reactions else [],
        _previews(previews) if previews else [],
    )


# One statement is one transaction and one round trip. The message's number is the room's
# ``last_message`` plus one, under the lock of the room's row. If the author is not a member, no row
# is inserted, and the caller finds out why. A client id that was used before violates the unique
# constraint; the statement fails as a whole, so the number is not used up.
#
# The room's row is locked before the author's is read, and the author's is read by an UPDATE: a
# member who was removed while this statement waited for the lock is then seen to be gone. A plain
# join would see the membership as it was when the statement began.
_INSERT = """
WITH held AS (
    SELECT id, last_message FROM rooms
    WHERE id = %(room)s AND (%(reply_to)s::bigint IS NULL OR %(reply_to)s::bigint <= last_message)
    FOR NO KEY UPDATE
), author AS (
    UPDATE members m SET read_seq = held.last_message + 1
    FROM held WHERE m.room_id = held.id AND m.user_id = %(author)s RETURNING m.room_id
), room AS (
    UPDATE rooms r SET last_message = last_message + 1, last_event = last_event + 1
    FROM author WHERE r.id = author.room_id RETURNING r.id, r.last_message, r.last_event
), message AS (
    INSERT INTO messages (room_id, seq, author_id, client_id, digest, body, reply_to)
    SELECT id, last_message, %(author)s, %(client_id)s, %(digest)s, %(body)s, %(reply_to)s
    FROM room RETURNING *
), event AS (
    INSERT INTO events (room_id, seq, kind, actor_id, message_seq)
    SELECT id, last_event, 'message.created', %(author)s, last_message FROM room
), mention AS (
    INSERT INTO mentions (user_id, room_id, seq)
    SELECT u.id, room.id, room.last_message
    FROM room, members m JOIN users u ON u.id = m.user_id
    WHERE m.room_id = %(room)s AND u.name = ANY(%(mentioned)s) AND u.id <> %(author)s
), preview AS (
    INSERT INTO previews (room_id, seq, position, url, host)
    SELECT room.id, room.last_message, position, url, host
    FROM room, unnest(%(urls)s::text[], %(hosts)s::text[])
               WITH ORDINALITY AS link (url, host, position)
)
SELECT message.seq, message.created_at, room.last_event FROM message, room
"""


def insert(
    db: Connection,
    room_id: int,
    author: User,
    client_id: str,
    digest: bytes,
    body: str,
    reply_to: int | None,
    mentioned: list[str],
    links: list[Link],
) -> tuple[Message, int] | None:
    """The new message and its event's number; ``None`` if the author is not in such a room, or
    what it replies to is not there. Raises ``UniqueViolation`` for a client id used before."""
    row = db.fetch_one(
        _INSERT,
        {
            "room": room_id,
            "author": author.id,
            "client_id": client_id,
            "digest": digest,
            "body": body,
            "reply_to": reply_to,
            "mentioned": mentioned,
            "urls": [link.url for link in links],
            "hosts": [link.host for link in links],
        },
    )
    if row is None:
        return None
    seq, created_at, event = row
    message = Message(
        room_id, seq, author, client_id, body, reply_to, created_at, None, None, [], []
    )
    return message, event


def by_client_id(
    db: Connection, room_id: int, author_id: int, client_id: str
) -> tuple[Message, bytes] | None:
    """The message that was sent with this client id, and the digest of what was sent."""
    row = db.fetch_one(
        f"SELECT {MESSAGE}, m.digest {_FROM} "
        "WHERE m.room_id = %s AND m.author_id = %s AND m.client_id = %s",
        (room_id, author_id, client_id),
    )
    return (message(row[:-1]), bytes(row[-1])) if row else None


def one(db: Connection, room_id: int, seq: int) -> Message | None:
    """The message of that number."""
    row = db.fetch_one(
        f"SELECT {MESSAGE} {_FROM} WHERE m.room_id = %s AND m.seq = %s", (room_id, seq)
    )
    return message(row) if row else None


def numbered(db: Connection, wanted: Iterable[tuple[int, int]]) -> list[Message]:
    """The messages with these pairs of room id and number; those that do not exist are left out."""
    room_ids, seqs = zip(*wanted, strict=True)
    rows = db.fetch_all(
        f"SELECT {MESSAGE} FROM unnest(%s::bigint[], %s::bigint[]) AS k (room_id, seq) "
        "JOIN messages m ON m.room_id = k.room_id AND m.seq = k.seq "
        "JOIN users u ON u.id = m.author_id",
        (list(room_ids), list(seqs)),
    )
    return [message(row) for row in rows]


def update(db: Connection, room_id: int, seq: int, body: str, mentioned: list[str]) -> None:
    """Change the text, and the mentions with it."""
    db.execute(
        "UPDATE messages SET body = %s, edited_at = now() WHERE room_id = %s AND seq = %s",
        (body, room_id, seq),
    )
    db.execute("DELETE FROM mentions WHERE room_id = %s AND seq = %s", (room_id, seq))
    db.execute(
        "INSERT INTO mentions (user_id, room_id, seq) SELECT u.id, m.room_id, m.seq "
        "FROM messages m JOIN members b ON b.room_id = m.room_id JOIN users u ON u.id = b.user_id "
        "WHERE m.room_id = %s AND m.seq = %s AND u.name = ANY(%s) AND u.id <> m.author_id",
        (room_id, seq, mentioned),
    )


def delete(db: Connection, room_id: int, seq: int) -> None:
    """Delete the text, reactions, mentions and previews; the row stays, so the number does too."""
    db.execute(
        "UPDATE messages SET body = '', deleted_at = now() WHERE room_id = %s AND seq = %s",
        (room_id, seq),
    )
    for table in ("reactions", "mentions", "previews"):
        db.execute(f"DELETE FROM {table} WHERE room_id = %s AND seq = %s", (room_id, seq))


def add_reaction(db: Connection, room_id: int, seq: int, emoji: str, user_id: int) -> bool:
    """Add a reaction; returns whether it was new."""
    return bool(
        db.execute(
            "INSERT INTO reactions (room_id, seq, emoji, user_id) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (room_id, seq, emoji, user_id),
        )
    )


def delete_reaction(db: Connection, room_id: int, seq: int, emoji: str, user_id: int) -> bool:
    """Remove a reaction; returns whether it was there."""
    return bool(
        db.execute(
            "DELETE FROM reactions WHERE room_id = %s AND seq = %s AND emoji = %s AND user_id = %s",
            (room_id, seq, emoji, user_id),
        )
    )


def kinds_of_reaction(db: Connection, room_id: int, seq: int) -> int:
    """How many different emoji the message has."""
    row = db.fetch_one(
        "SELECT count(DISTINCT emoji) FROM reactions WHERE room_id = %s AND seq = %s",
        (room_id, seq),
    )
    assert row is not None
    return row[0]


def search(
    db: Connection, user_id: int, query: str, room_id: int | None, limit: int
) -> list[Message]:
    """Messages that match ``query``, in rooms that the user may read, the newest first."""
    rows = db.fetch_all(
        f"SELECT {MESSAGE} {_FROM} JOIN rooms r ON r.id = m.room_id "
        "WHERE m.words @@ websearch_to_tsquery('simple', %(query)s) AND m.deleted_at IS NULL "
        "AND (%(room)s::bigint IS NULL OR m.room_id = %(room)s::bigint) "
        "AND (r.visibility = 'public' OR EXISTS (SELECT 1 FROM members b "
        "     WHERE b.room_id = r.id AND b.user_id = %(user)s)) "
        "ORDER BY m.created_at DESC, m.room_id, m.seq DESC LIMIT %(limit)s",
        {"query": query, "room": room_id, "user": user_id, "limit": limit},
    )
    return [message(row) for row in rows]


def mentioning(db: Connection, user_id: int, limit: int) -> list[Message]:
    """Unread messages that mention the user, the newest first."""
    rows = db.fetch_all(
        f"SELECT {MESSAGE} {_FROM} JOIN mentions n ON n.room_id = m.room_id AND n.seq = m.seq "
        "JOIN members b ON b.room_id = m.room_id AND b.user_id = n.user_id "
        "WHERE n.user_id = %s AND n.seq > b.read_seq ORDER BY m.created_at DESC LIMIT %s",
        (user_id, limit),
    )
    return [message(row) for row in rows]


def latest_of_each_room(db: Connection, user_id: int) -> list[Message]:
    """The last message of every room that the user is in."""
    rows = db.fetch_all(
        f"SELECT {MESSAGE} FROM members b JOIN rooms r ON r.id = b.room_id "
        "JOIN messages m ON m.room_id = r.id AND m.seq = r.last_message "
        "JOIN users u ON u.id = m.author_id WHERE b.user_id = %s ORDER BY m.room_id",
        (user_id,),
    )
    return [message(row) for row in rows]

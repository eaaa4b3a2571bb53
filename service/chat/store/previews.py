"""The SQL about link previews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from colorless.postgres import Connection
from service.chat.links import Link
from service.outside.html_metadata import PageMetadata


class PreviewJob(NamedTuple):
    """A preview that a worker has taken; ``taken`` is how often that has happened."""

    id: int
    room_id: int
    seq: int
    url: str
    taken: int


def take(db: Connection, lease: float, not_from: Sequence[str]) -> PreviewJob | None:
    """The preview that waits longest, for ``lease`` seconds; none from the hosts ``not_from``."""
    row = db.fetch_one(
        "UPDATE previews SET taken = taken + 1, due_at = now() + make_interval(secs => %s) "
        "WHERE id = (SELECT id FROM previews WHERE state = 'waiting' AND due_at <= now() "
        "            AND host <> ALL(%s) ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) "
        "RETURNING id, room_id, seq, url, taken",
        (lease, list(not_from)),
    )
    return PreviewJob(*row) if row else None


def give_back(db: Connection, job: PreviewJob) -> None:
    """Let another worker take it at once, as if it had not been taken."""
    db.execute(
        "UPDATE previews SET due_at = now(), taken = taken - 1 "
        "WHERE id = %s AND taken = %s AND state = 'waiting'",
        (job.id, job.taken),
    )


def make_ready(db: Connection, job: PreviewJob, page: PageMetadata) -> int | None:
    """Store the page's metadata. The caller has locked the room.

    Returns the message's author, or ``None`` if the preview was deleted or taken by another worker
    meanwhile.
    """
    row = db.fetch_one(
        "UPDATE previews p SET state = 'ready', title = %s, description = %s, image_url = %s, "
        "site_name = %s FROM messages m WHERE p.id = %s AND p.taken = %s AND p.state = 'waiting' "
        "AND m.room_id = p.room_id AND m.seq = p.seq RETURNING m.author_id",
        (*page, job.id, job.taken),
    )
    return row[0] if row else None


def make_failed(db: Connection, job: PreviewJob, why: str) -> None:
    """Store that there is none, and why."""
    db.execute(
        "UPDATE previews SET state = 'failed', failure = %s "
        "WHERE id = %s AND taken = %s AND state = 'waiting'",
        (why, job.id, job.taken),
    )


def replace(db: Connection, room_id: int, seq: int, links: Sequence[Link]) -> None:
    """Set the links that the message has previews of; previews that exist are kept."""
    db.execute(
        "DELETE FROM previews WHERE room_id = %s AND seq = %s AND url <> ALL(%s)",
        (room_id, seq, [link.url for link in links]),
    )
    db.execute(
        "INSERT INTO previews (room_id, seq, position, url, host) "
        "SELECT %s, %s, position, url, host "
        "FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (url, host, position) "
        "ON CONFLICT (room_id, seq, url) DO UPDATE SET position = excluded.position",
        (room_id, seq, [link.url for link in links], [link.host for link in links]),
    )

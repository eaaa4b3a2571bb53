"""The SQL about webhooks and their log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from colorless.postgres import Connection
from service.chat.webhook_models import Delivery, Webhook

# Guessed: some hours of a quiet room, or all the tries of an event that fails.
KEPT_IN_LOG = 100

_WEBHOOK = (
    "id, room_id, url, created_at, delivered, failures, failing_since, "
    "CASE WHEN failures > 0 AND disabled_at IS NULL THEN due_at END, disabled_at"
)


def insert(db: Connection, room_id: int, url: str, host: str, secret: bytes) -> Webhook:
    """A new webhook, for what happens in the room from now on."""
    row = db.fetch_one(
        "INSERT INTO webhooks (room_id, url, host, secret, delivered) "
        f"SELECT id, %s, %s, %s, last_event FROM rooms WHERE id = %s RETURNING {_WEBHOOK}",
        (url, host, secret, room_id),
    )
    assert row is not None, "the caller holds the room"
    return Webhook(*row)


def of_room(db: Connection, room_id: int) -> list[Webhook]:
    """The room's webhooks, the oldest first."""
    rows = db.fetch_all(
        f"SELECT {_WEBHOOK} FROM webhooks WHERE room_id = %s ORDER BY id", (room_id,)
    )
    return [Webhook(*row) for row in rows]


def delete(db: Connection, room_id: int, webhook_id: int) -> bool:
    """Remove it with its log; whether it was there."""
    return bool(
        db.execute("DELETE FROM webhooks WHERE room_id = %s AND id = %s", (room_id, webhook_id))
    )


def exists(db: Connection, room_id: int, webhook_id: int) -> bool:
    """Whether the room has this webhook."""
    return (
        db.fetch_one("SELECT 1 FROM webhooks WHERE room_id = %s AND id = %s", (room_id, webhook_id))
        is not None
    )


def log(db: Connection, webhook_id: int, before: int | None, limit: int) -> list[Delivery]:
    """The attempts to deliver something, the newest first, those below the id ``before``."""
    rows = db.fetch_all(
        "SELECT id, event_seq, kind, attempt, at, seconds, status, error FROM deliveries "
        "WHERE webhook_id = %s AND (%s::bigint IS NULL OR id < %s::bigint) "
        "ORDER BY id DESC LIMIT %s",
        (webhook_id, before, before, limit),
    )
    return [Delivery(*row) for row in rows]


class DeliveryJob(NamedTuple):
    """A webhook that a worker has taken to deliver the event behind ``delivered``."""

    id: int
    room_id: int
    url: str
    secret: bytes
    delivered: int
    failures: int
    failing_for: float  # seconds
    taken: int


def take(db: Connection, lease: float, not_to: Sequence[str]) -> DeliveryJob | None:
    """The webhook that waits longest for something that happened, for ``lease`` seconds; none to
    the hosts ``not_to``. Whoever has it is the only one who delivers to it, so in order."""
    row = db.fetch_one(
        "UPDATE webhooks SET taken = taken + 1, due_at = now() + make_interval(secs => %s) "
        "WHERE id = (SELECT w.id FROM webhooks w JOIN rooms r ON r.id = w.room_id "
        "            WHERE w.disabled_at IS NULL AND w.due_at <= now() "
        "            AND w.delivered < r.last_event AND w.host <> ALL(%s) "
        "            ORDER BY w.due_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED) "
        "RETURNING id, room_id, url, secret, delivered, failures, "
        "coalesce(extract(epoch FROM now() - failing_since), 0)::float8, taken",
        (lease, list(not_to)),
    )
    return DeliveryJob(*row)._replace(secret=bytes(row[3])) if row else None


def give_back(db: Connection, job: DeliveryJob) -> None:
    """Let another worker take it at once."""
    db.execute(
        "UPDATE webhooks SET due_at = now() WHERE id = %s AND taken = %s", (job.id, job.taken)
    )


# One statement: a log that says otherwise than the webhook would be of no use. A worker that comes
# too late, when another has the webhook, changes nothing.
_SETTLE = """
WITH mine AS (
    UPDATE webhooks SET
        delivered = CASE WHEN %(failures)s = 0 THEN %(event)s ELSE delivered END,
        failures = %(failures)s,
        failing_since = CASE WHEN %(failures)s > 0 THEN coalesce(failing_since, now()) END,
        due_at = now() + make_interval(secs => %(delay)s),
        disabled_at = CASE WHEN %(disable)s THEN now() END
    WHERE id = %(id)s AND taken = %(taken)s RETURNING id
), logged AS (
    INSERT INTO deliveries (webhook_id, event_seq, kind, attempt, seconds, status, error)
    SELECT id, %(event)s, %(kind)s, %(attempt)s, %(seconds)s, %(status)s, %(error)s FROM mine
)
DELETE FROM deliveries WHERE webhook_id = %(id)s AND id <= (
    SELECT id FROM deliveries WHERE webhook_id = %(id)s ORDER BY id DESC OFFSET %(kept)s LIMIT 1)
"""


class Attempt(NamedTuple):
    """One attempt to deliver an event: how long it took, and what was answered or went wrong."""

    event: int
    kind: str
    seconds: float
    status: int | None
    error: str | None


def accepted(db: Connection, job: DeliveryJob, attempt: Attempt) -> None:
    """The receiver has the event; the next one is due at once."""
    _settle(db, job, attempt, failures=0, delay=0.0, disable=False)


def failed(db: Connection, job: DeliveryJob, attempt: Attempt, delay: float, disable: bool) -> None:
    """The receiver has it not; it is due after ``delay`` seconds, or never again."""
    _settle(db, job, attempt, failures=job.failures + 1, delay=delay, disable=disable)


def _settle(
    db: Connection,
    job: DeliveryJob,
    attempt: Attempt,
    *,
    failures: int,
    delay: float,
    disable: bool,
) -> None:
    db.execute(
        _SETTLE,
        {
            "id": job.id,
            "taken": job.taken,
            "failures": failures,
            "delay": delay,
            "disable": disable,
            "attempt": job.failures + 1,
            "kept": KEPT_IN_LOG - 1,
            **attempt._asdict(),
        },
    )

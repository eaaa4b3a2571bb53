"""Sends the events of rooms to their webhooks, in order and at least once (Standard Webhooks).

A webhook has a position in its room's log, which moves when the receiver has answered 2xx. So an
event that is not accepted holds up those behind it, and an event that was being sent when a worker
was killed is sent again, with the same ``webhook-id``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec
import structlog
from msgspec import Struct

from service.chat import events
from service.chat.context import ChatContext
from service.chat.job_lease import LEASE, give_back_if_killed
from service.chat.retry_schedule import after_failure
from service.chat.store import webhooks as store
from service.chat.store.webhooks import Attempt, DeliveryJob
from service.outside import webhook_signature
from service.outside.client import OutsideResponse
from service.outside.errors import OutsideError

log = structlog.get_logger("service.deliveries")

# Seconds; the specification wants 15 to 30.
_SECONDS = 15.0

_encode = msgspec.json.Encoder().encode


class Payload(Struct, frozen=True):
    """The body of a delivery: the event as streams have it, in the specification's envelope."""

    type: str
    timestamp: datetime
    data: events.Event


class DeliveryJobs:
    """The jobs that deliver events to webhooks."""

    def __init__(self, chat: ChatContext) -> None:
        self._chat = chat

    def take(self) -> Callable[[], None] | None:
        """Lease the webhook that waits longest, and return what delivers its next event.

        Returns ``None`` if none waits."""
        with self._chat.db.connection() as db:
            job = store.take(db, LEASE, self._chat.outside.host_limit.busy_hosts())
        return partial(self._deliver, job) if job else None

    def _deliver(self, job: DeliveryJob) -> None:
        with self._chat.db.connection() as db:
            found = events.read(db, {job.room_id: job.delivered}, 1)
        if not found:
            return  # the room has just been deleted, and the webhook with it
        with give_back_if_killed(self._chat.db, lambda db: store.give_back(db, job)):
            attempt, asked_for = self._send(job, found[0])
        with self._chat.db.connection() as db:
            if attempt.error is None:
                store.accepted(db, job, attempt)
                return
            verdict = after_failure(
                job.failures + 1, job.failing_for, status=attempt.status, asked_for=asked_for
            )
            store.failed(db, job, attempt, *verdict)
        if verdict.disable:
            log.warning("webhook disabled", webhook=job.id, room=job.room_id, why=attempt.error)

    def _send(self, job: DeliveryJob, event: events.Event) -> tuple[Attempt, float]:
        """The attempt, and the receiver's Retry-After in seconds (0 without one)."""
        content = _encode(Payload(event.type, event.at, event))
        headers = webhook_signature.headers(
            job.secret, f"msg_{job.id}_{event.seq}", int(time.time()), content
        )
        began = time.monotonic()
        answer: OutsideResponse | None = None
        error: str | None = None
        try:
            answer = self._chat.outside.post(
                job.url,
                content,
                {**headers, "Content-Type": "application/json"},
                seconds=_SECONDS,
            )
            if not 200 <= answer.status < 300:
                error = f"the receiver answered {answer.status}"
        except OutsideError as failure:
            error = str(failure)
        seconds = round(time.monotonic() - began, 3)
        status = answer.status if answer else None
        return Attempt(event.seq, event.type, seconds, status, error), _retry_after(answer)


def _retry_after(answer: OutsideResponse | None) -> float:
    """The seconds in Retry-After; 0 for its other form, a date."""
    text = answer.headers.get("retry-after", "") if answer else ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0

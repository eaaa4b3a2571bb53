"""What the API takes and returns about webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from service.chat.models import Id, Limit, RequestModel, Seq

WebhookUrl = Annotated[
    str,
    Meta(
        max_length=2000,
        pattern=r"^https?://[^\x00-\x20\x7f]+$",
        description="Where to POST events, on port 80 or 443 of a public address.",
    ),
]


class NewWebhook(RequestModel):
    """Have every event of a room sent to another site, from now on."""

    url: WebhookUrl


class DeliveryPage(RequestModel):
    """Which part of a webhook's log: what is older than the delivery ``before``."""

    before: Id | None = None
    limit: Limit = 50


class Webhook(Struct, frozen=True):
    """Where events of a room are sent. ``delivered`` is the number of the last event that arrived;
    ``failures`` counts the attempts that failed since."""

    id: Id
    room_id: Id
    url: str
    created_at: datetime
    delivered: Seq
    failures: Seq
    failing_since: datetime | None
    next_attempt_at: datetime | None
    disabled_at: datetime | None


class WebhookWithSecret(Webhook, frozen=True):
    """A webhook that was just made, with the key that signs its deliveries, shown this once."""

    secret: str


class Webhooks(Struct, frozen=True):
    """The webhooks of a room."""

    webhooks: list[Webhook]


class Delivery(Struct, frozen=True):
    """One attempt to deliver an event: the ``status`` of the answer, or the ``error``."""

    id: Id
    event: Seq
    type: str
    attempt: Id
    at: datetime
    seconds: float
    status: int | None
    error: str | None


class Deliveries(Struct, frozen=True):
    """A page of attempts, the newest first; ``next`` is the ``before`` of the next page."""

    deliveries: list[Delivery]
    next: Id | None

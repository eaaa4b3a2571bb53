"""The views about webhooks."""

from __future__ import annotations

from service.api.routes import ApiCall, Routes
from service.chat import webhooks
from service.chat.models import Id
from service.chat.webhook_models import (
    Deliveries,
    DeliveryPage,
    NewWebhook,
    Webhooks,
    WebhookWithSecret,
)

routes = Routes("webhooks")


@routes.post("/rooms/{room_id}/webhooks", status=201, errors=(403, 404, 409))
def create_webhook(call: ApiCall, room_id: Id, body: NewWebhook) -> WebhookWithSecret:
    """Have the events of a room that you own POSTed to another site, from now on, signed as
    standardwebhooks.com describes. The secret is shown this once."""
    return webhooks.create(call.chat, call.user, room_id, body)


@routes.get("/rooms/{room_id}/webhooks", errors=(403, 404))
def list_webhooks(call: ApiCall, room_id: Id) -> Webhooks:
    """The webhooks of a room that you own, and how they fare."""
    return webhooks.listing(call.chat, call.user, room_id)


@routes.delete("/rooms/{room_id}/webhooks/{webhook_id}", status=204, errors=(403, 404))
def delete_webhook(call: ApiCall, room_id: Id, webhook_id: Id) -> None:
    """Send nothing there any more."""
    webhooks.delete(call.chat, call.user, room_id, webhook_id)


@routes.get("/rooms/{room_id}/webhooks/{webhook_id}/deliveries", errors=(403, 404))
def list_deliveries(call: ApiCall, room_id: Id, webhook_id: Id, query: DeliveryPage) -> Deliveries:
    """The last attempts to deliver something, the newest first."""
    return webhooks.deliveries(call.chat, call.user, room_id, webhook_id, query)

"""Webhooks of a room: the sites that its events are sent to. Only its owners may see them."""

from __future__ import annotations

import msgspec

from colorless.postgres import Connection
from service.chat.context import ChatContext
from service.chat.models import User
from service.chat.rooms import readable
from service.chat.store import rooms
from service.chat.store import webhooks as store
from service.chat.webhook_models import (
    Deliveries,
    DeliveryPage,
    NewWebhook,
    Webhooks,
    WebhookWithSecret,
)
from service.errors import Conflict, Forbidden, InvalidInput, NotFound
from service.outside import webhook_signature
from service.outside.errors import Refused

# Webhooks of one room; guessed. Each of its events is sent so many times.
_MAX_WEBHOOKS = 10


def create(chat: ChatContext, user: User, room_id: int, new: NewWebhook) -> WebhookWithSecret:
    """A new webhook, and the secret, which is not shown again."""
    try:
        host = chat.outside.check(new.url).host
    except Refused as error:
        raise InvalidInput(str(error), field="url") from None
    secret = webhook_signature.new_secret()
    with chat.db.transaction() as db:
        rooms.lock(db, room_id)  # so that two requests at the same time are counted
        _require_owner(db, user, room_id)
        if len(store.of_room(db, room_id)) >= _MAX_WEBHOOKS:
            raise Conflict(f"a room has at most {_MAX_WEBHOOKS} webhooks; delete one first")
        webhook = store.insert(db, room_id, new.url, host, secret)
    return WebhookWithSecret(
        **msgspec.structs.asdict(webhook), secret=webhook_signature.encode_secret(secret)
    )


def listing(chat: ChatContext, user: User, room_id: int) -> Webhooks:
    """The room's webhooks."""
    with chat.db.connection() as db:
        _require_owner(db, user, room_id)
        return Webhooks(store.of_room(db, room_id))


def delete(chat: ChatContext, user: User, room_id: int, webhook_id: int) -> None:
    """Delete a webhook; a delivery that is being sent may still arrive."""
    with chat.db.connection() as db:
        _require_owner(db, user, room_id)
        if not store.delete(db, room_id, webhook_id):
            raise _no_webhook(room_id, webhook_id)


def deliveries(
    chat: ChatContext, user: User, room_id: int, webhook_id: int, page: DeliveryPage
) -> Deliveries:
    """A page of the webhook's log of deliveries."""
    with chat.db.connection() as db:
        _require_owner(db, user, room_id)
        if not store.exists(db, room_id, webhook_id):
            raise _no_webhook(room_id, webhook_id)
        found = store.log(db, webhook_id, page.before, page.limit + 1)
    shown = found[: page.limit]
    return Deliveries(shown, next=shown[-1].id if len(found) > page.limit else None)


def _require_owner(db: Connection, user: User, room_id: int) -> None:
    if readable(db, user, room_id).role != "owner":
        raise Forbidden("only an owner of the room may see to its webhooks")


def _no_webhook(room_id: int, webhook_id: int) -> NotFound:
    return NotFound(f"room {room_id} has no webhook {webhook_id}")

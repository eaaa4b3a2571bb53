"""Stream tickets: a cookie that opens streams in a browser, and can do nothing else.

A browser's ``EventSource`` and ``WebSocket`` cannot send an ``Authorization`` header, and a token
in a URL ends up in logs. A ticket is a cookie that scripts cannot read. It ends with the session
that asked for it.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from service.chat.accounts import digest
from service.chat.context import ChatContext
from service.chat.models import User
from service.chat.store import users
from service.errors import Unauthenticated


def issue(chat: ChatContext, token: str) -> tuple[str, datetime]:
    """A ticket for the session of this token, and when it expires; it replaces the one before."""
    ticket = secrets.token_urlsafe(32)
    with chat.db.connection() as db:
        expires_at = users.set_ticket(db, digest(token), digest(ticket))
    if expires_at is None:
        raise Unauthenticated("the session has just ended; log in again")
    return ticket, expires_at


def by_token(chat: ChatContext, token: str) -> tuple[User, bytes]:
    """The user and session of a token. Raises :class:`Unauthenticated`."""
    with chat.db.connection() as db:
        user = users.by_token(db, digest(token))
    if user is None:
        raise Unauthenticated("the token is unknown, expired or revoked; POST /v1/sessions for one")
    return user, digest(token)


def by_ticket(chat: ChatContext, ticket: str) -> tuple[User, bytes]:
    """The user and session of a ticket. Raises :class:`Unauthenticated`."""
    with chat.db.connection() as db:
        found = users.by_ticket(db, digest(ticket))
    if found is None:
        raise Unauthenticated("the ticket is no longer valid; POST /v1/stream-tickets for one")
    return found

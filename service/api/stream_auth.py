"""Who opens a stream: a bearer token or a ticket cookie says so. Checks ``Origin`` too."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Request

from service.chat import stream_tickets
from service.chat.context import ChatContext
from service.chat.models import User
from service.errors import Forbidden, Unauthenticated

COOKIE = "stream_ticket"


def authenticate(chat: ChatContext, request: Request) -> tuple[User, bytes]:
    """The user and the session of the request. Raises :class:`Unauthenticated`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return stream_tickets.by_token(chat, token.strip())
    ticket = request.cookies.get(COOKIE)
    if ticket:
        return stream_tickets.by_ticket(chat, ticket)
    raise Unauthenticated(
        "send your token as `Authorization: Bearer TOKEN`, or, in a browser, "
        "POST /v1/stream-tickets first: it sets a cookie that opens streams"
    )


def check_origin(request: Request, allowed: Collection[str]) -> None:
    """Refuse pages of other sites, which could open a stream with the cookie of their visitor.

    ``allowed`` are the origins that may. Raises :class:`Forbidden`. Programs other than browsers
    send no ``Origin``, and pass.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in allowed or urlsplit(origin).netloc == request.host:
        return
    raise Forbidden(f"{origin} may not open streams here; ALLOWED_ORIGINS lists who may")

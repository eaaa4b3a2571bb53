"""The views about typing, presence and the ticket that opens a browser's streams."""

from __future__ import annotations

from flask import Response, after_this_request, request

from service.api.routes import ApiCall, Routes
from service.api.stream_auth import COOKIE
from service.chat import presence, stream_tickets
from service.chat.models import Id

routes = Routes(
    "streams",
    about="Everything that happens in your rooms, live: `GET /v1/stream` is a WebSocket, "
    "`GET /v1/events` are server-sent events for an `EventSource`, and both say the same. They are "
    "not listed as operations, because their answers do not end. With `?resume=12-405.13-9` (or "
    "`Last-Event-ID`) a stream starts behind event 405 of room 12 and event 9 of room 13, and "
    "sends what was missed first. docs/streams.md lists the events and how streams end.",
)


@routes.post("/stream-tickets", status=204, limit="write")
def make_stream_ticket(call: ApiCall) -> None:
    """Let this browser open streams: sets a cookie that `EventSource` and `WebSocket` send, that
    scripts cannot read, and that ends with the session."""
    ticket, expires_at = stream_tickets.issue(call.chat, call.token)

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            ticket,
            expires=expires_at,
            path="/v1",
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )
        return response


@routes.post("/rooms/{room_id}/typing", status=204, errors=(403, 404))
def tell_typing(call: ApiCall, room_id: Id) -> None:
    """Tell the room that you are writing something; say it again every few seconds."""
    presence.tell_typing(call.chat, call.user, room_id)


@routes.get("/rooms/{room_id}/presence", errors=(404,))
def get_presence(call: ApiCall, room_id: Id) -> presence.Online:
    """Which members of the room have a stream open; what changes comes as `presence` events."""
    return presence.online(call.chat, call.user, room_id)

"""The two streams: /v1/stream as a WebSocket, /v1/events as server-sent events.

Both say the same. A view checks who calls, takes the socket over and lets the client catch up;
then it returns, and the stream lives on without it.
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

import msgspec
import psycopg2
from flask import Blueprint, Response, request
from gevent.event import Event
from msgspec import Struct
from websockets import http11

from colorless.deadlines import fail_after
from service.api import callers, eventstream
from service.api.drain import Drain
from service.api.eventstream import EventStream
from service.api.heart import Heart
from service.api.parked import ParkedStream, Place
from service.api.takeover import Taken, TakenOver, take_over
from service.api.websocket import UNSUPPORTED, WebSocketStream, frame, handshake
from service.chat.chat import Chat
from service.chat.events import Pong, encode
from service.chat.live import positions
from service.chat.live.hub import Hub
from service.chat.models import User
from service.chat.notices import Typing
from service.errors import TooManyRequests
from service.settings import Settings


class Ping(Struct, frozen=True, tag="ping", tag_field="type"):
    """A client asks whether the server is there."""


class Types(Struct, frozen=True, tag="typing", tag_field="type"):
    """A client says that its user is writing something."""

    room_id: int


_decoder = msgspec.json.Decoder(Ping | Types)
_PONG = frame(encode(Pong()))


def blueprint(chat: Chat, hub: Hub, settings: Settings, drain: Drain) -> Blueprint:
    """The views. They are no ordinary ones: there is no answer that ends."""
    views = Blueprint("streams", __name__)
    streams = Streams(chat, hub, settings, drain)
    views.add_url_rule("/v1/stream", view_func=streams.websocket, websocket=True)
    # Without an Upgrade it is told that one is needed.
    views.add_url_rule("/v1/stream", endpoint="no_websocket", view_func=streams.websocket)
    views.add_url_rule("/v1/events", view_func=streams.events)
    return views


class Streams:
    """Opens the streams of one process."""

    def __init__(self, chat: Chat, hub: Hub, settings: Settings, drain: Drain) -> None:
        self._chat = chat
        self._drain = drain
        self._draining: Event | None = None
        self._place = Place(hub, Heart(settings.heartbeat), settings.stream_queue)
        self._settings = settings

    def websocket(self) -> Response:
        """GET /v1/stream"""
        answer = handshake(request.path, request.headers.items())
        if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return _refusal(answer)
        with fail_after(self._settings.request_timeout):
            user, session, wanted = self._admit(request.args.get("resume", ""))
            taken = take_over(request.environ)
            stream = WebSocketStream(self._place, session, taken, partial(self._heard, user))
            stream.write(answer.serialize())
            return self._run(stream, taken, user, wanted)

    def events(self) -> Response:
        """GET /v1/events"""
        last = request.headers.get("Last-Event-ID") or request.args.get("resume", "")
        with fail_after(self._settings.request_timeout):
            try:
                user, session, wanted = self._admit(last)
            except (psycopg2.Error, TimeoutError):
                # An EventSource gives up for good at any answer but this one.
                return Response("retry: 2000\n\n", content_type="text/event-stream")
            if request.method == "HEAD":
                return Response(content_type="text/event-stream")
            taken = take_over(request.environ)
            stream = EventStream(self._place, session, taken)
            stream.write(eventstream.HEAD + eventstream.RETRY)
            return self._run(stream, taken, user, wanted)

    def _admit(self, resume: str) -> tuple[User, bytes, dict[int, int]]:
        callers.refuse_foreign_pages(request, self._settings.allowed_origins)
        wanted = positions.parse(resume)
        user, session = callers.identify(self._chat, request)
        most = self._settings.streams_per_user
        if self._place.hub.streams_of(user.id) >= most:
            raise TooManyRequests(f"you have {most} streams open already", retry_after=30.0)
        return user, session, wanted

    def _run(
        self, stream: ParkedStream, taken: Taken, user: User, wanted: dict[int, int]
    ) -> Response:
        self._watch_for_the_end()
        if taken.rest:
            stream.received(taken.rest)
        self._place.hub.open(stream, user.id, wanted)
        return TakenOver(request.environ, stream.wait_for_end if taken.is_lent else None)

    def _watch_for_the_end(self) -> None:
        draining = request.environ.get("colorless.draining")
        if draining is not None and self._draining is None:
            self._draining = draining
            draining.rawlink(self._drain.start)

    def _heard(self, user: User, stream: WebSocketStream, message: bytes) -> None:
        try:
            said = _decoder.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            stream.end(UNSUPPORTED)
            return
        if isinstance(said, Ping):
            stream.say(_PONG)
        elif stream.audience is not None and said.room_id in stream.audience.feeds:
            self._place.hub.tell(Typing(said.room_id, user))


def _refusal(answer: http11.Response) -> Response:
    headers = {name: value for name, value in answer.headers.raw_items() if name == "Upgrade"}
    return Response(
        bytes(answer.body or b""), answer.status_code, headers, content_type="text/plain"
    )

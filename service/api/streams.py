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
from service.api import sse, stream_auth
from service.api.heartbeat import Heartbeat
from service.api.socket_takeover import TakenOverResponse, TakenSocket, take_over
from service.api.sse import SSEStream
from service.api.stream_drain import StreamDrain
from service.api.stream_socket import SocketStream, StreamContext
from service.api.websocket import UNSUPPORTED, WebSocketStream, frame, handshake
from service.chat.context import ChatContext
from service.chat.events import Pong, encode
from service.chat.fanout.notices import Typing
from service.chat.live import positions
from service.chat.live.manager import StreamManager
from service.chat.models import User
from service.errors import TooManyRequests
from service.settings import Settings


class Ping(Struct, frozen=True, tag="ping", tag_field="type"):
    """A client asks whether the server is there."""


class TypingNotice(Struct, frozen=True, tag="typing", tag_field="type"):
    """A client says that its user is writing something."""

    room_id: int


_decoder = msgspec.json.Decoder(Ping | TypingNotice)
_PONG = frame(encode(Pong()))


def blueprint(
    chat: ChatContext, manager: StreamManager, settings: Settings, drain: StreamDrain
) -> Blueprint:
    """The views of the streams, whose responses do not end."""
    views = Blueprint("streams", __name__)
    streams = Streams(chat, manager, settings, drain)
    views.add_url_rule("/v1/stream", view_func=streams.websocket, websocket=True)
    # A request without `Upgrade` gets 426, which says that one is needed.
    views.add_url_rule("/v1/stream", endpoint="no_websocket", view_func=streams.websocket)
    views.add_url_rule("/v1/events", view_func=streams.events)
    return views


class Streams:
    """Opens the streams of one process."""

    def __init__(
        self, chat: ChatContext, manager: StreamManager, settings: Settings, drain: StreamDrain
    ) -> None:
        self._chat = chat
        self._drain = drain
        self._draining: Event | None = None
        self._manager = manager
        self._context = StreamContext(
            manager.registry, Heartbeat(settings.heartbeat), settings.stream_queue
        )
        self._settings = settings

    def websocket(self) -> Response:
        """GET /v1/stream"""
        answer = handshake(request.path, request.headers.items())
        if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return _refusal(answer)
        with fail_after(self._settings.request_timeout):
            user, session, wanted = self._admit(request.args.get("resume", ""))
            taken = take_over(request.environ)
            stream = WebSocketStream(self._context, session, taken, partial(self._on_message, user))
            stream.write(answer.serialize())
            return self._run(stream, taken, user, wanted)

    def events(self) -> Response:
        """GET /v1/events"""
        last = request.headers.get("Last-Event-ID") or request.args.get("resume", "")
        with fail_after(self._settings.request_timeout):
            try:
                user, session, wanted = self._admit(last)
            except (psycopg2.Error, TimeoutError):
                # After any other status an EventSource does not reconnect by itself.
                return Response("retry: 2000\n\n", content_type="text/event-stream")
            if request.method == "HEAD":
                return Response(content_type="text/event-stream")
            taken = take_over(request.environ)
            stream = SSEStream(self._context, session, taken)
            stream.write(sse.HEAD + sse.RETRY)
            return self._run(stream, taken, user, wanted)

    def _admit(self, resume: str) -> tuple[User, bytes, dict[int, int]]:
        stream_auth.check_origin(request, self._settings.allowed_origins)
        wanted = positions.parse(resume)
        user, session = stream_auth.authenticate(self._chat, request)
        limit = self._settings.streams_per_user
        if self._manager.registry.streams_of(user.id) >= limit:
            raise TooManyRequests(f"you have {limit} streams open already", retry_after=30.0)
        return user, session, wanted

    def _run(
        self, stream: SocketStream, taken: TakenSocket, user: User, wanted: dict[int, int]
    ) -> Response:
        self._end_on_drain()
        if taken.rest:
            stream.received(taken.rest)
        self._manager.open(stream, user.id, wanted)
        return TakenOverResponse(request.environ, stream.wait_for_end if taken.is_lent else None)

    def _end_on_drain(self) -> None:
        draining = request.environ.get("colorless.draining")
        if draining is not None and self._draining is None:
            self._draining = draining
            draining.rawlink(self._drain.start)

    def _on_message(self, user: User, stream: WebSocketStream, message: bytes) -> None:
        try:
            sent = _decoder.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            stream.end(UNSUPPORTED)
            return
        if isinstance(sent, Ping):
            stream.send(_PONG)
        elif stream.subscriber is not None and sent.room_id in stream.subscriber.feeds:
            self._manager.tell(Typing(sent.room_id, user))


def _refusal(answer: http11.Response) -> Response:
    headers = {name: value for name, value in answer.headers.raw_items() if name == "Upgrade"}
    return Response(
        bytes(answer.body or b""), answer.status_code, headers, content_type="text/plain"
    )

"""Calls a view: deadline, token, rate limit, decoding, the call, encoding."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from colorless.deadlines import fail_after
from colorless.flask import Response
from service.api.decoding import decode_body, decode_path, decode_query
from service.api.rate_limit import RateLimit, network_of
from service.api.routes import ApiCall, Reply, Route
from service.chat import accounts
from service.chat.context import ChatContext
from service.chat.models import User
from service.errors import Unauthenticated
from service.settings import Settings

NOBODY = User(id=0, name="", display_name="")

_encode = msgspec.json.Encoder().encode


class Dispatcher:
    """Calls the views of one application, with its settings."""

    def __init__(self, chat: ChatContext, settings: Settings) -> None:
        self._chat = chat
        self._timeout = settings.request_timeout
        self._writes = RateLimit(settings.writes_per_minute)
        self._logins = RateLimit(settings.logins_per_minute)

    def add(self, app: Flask, route: Route) -> None:
        """Add the route to the application, under /v1."""

        def handle(**path: str) -> Response:
            _cancel_reads_on_disconnect(route)
            with fail_after(self._timeout):
                return self._run(route, path)

        app.add_url_rule(
            "/v1" + route.path.replace("{", "<").replace("}", ">"),
            endpoint=route.name,
            view_func=handle,
            methods=[route.method],
        )

    def _run(self, route: Route, path: dict[str, str]) -> Response:
        call = self._identify(route)
        self._count(route, call.user)
        arguments: dict[str, Any] = {
            name: decode_path(name, path[name], kind)
            for name, kind in route.path_parameters.items()
        }
        if route.query is not None:
            arguments["query"] = decode_query(request.args, route.query)
        if route.body is not None:
            arguments["body"] = decode_body(_body(), request.mimetype, route.body)
        return _answer(route, route.view(call, **arguments))

    def _identify(self, route: Route) -> ApiCall:
        if not route.needs_token:
            return ApiCall(self._chat, NOBODY, "")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send your token: `Authorization: Bearer TOKEN`")
        token = token.strip()
        return ApiCall(self._chat, accounts.authenticate(self._chat, token), token)

    def _count(self, route: Route, user: User) -> None:
        if route.limit == "login":
            self._logins.take(network_of(request.remote_addr or ""))
        elif route.limit == "write":
            self._writes.take(user.id)


def _cancel_reads_on_disconnect(route: Route) -> None:
    """Cancel a GET, and its query with it, when its client disconnects. A write runs to its end:
    its client may count on it."""
    connection = request.environ.get("colorless.connection")  # under our own worker
    if connection is not None and route.method == "GET":
        connection.cancel_on_disconnect = True


def _body() -> bytes:
    data = request.get_data()
    # Werkzeug cuts a chunked body off at the limit without an error.
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(data) >= limit:
        raise RequestEntityTooLarge
    return data


def _answer(route: Route, result: Any) -> Response:
    status = route.status
    if isinstance(result, Reply):
        result, status = result
    if result is None:
        return Response(status=204)
    return Response(_encode(result), status=status, content_type="application/json")

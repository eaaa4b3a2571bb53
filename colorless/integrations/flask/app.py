"""The application: Flask's, without the steps that it does not need."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CO_COROUTINE
from types import FunctionType
from typing import Any

import flask
from flask.sessions import NullSession, SecureCookieSessionInterface
from werkzeug.routing import MapAdapter

from colorless.integrations.flask.response import Response
from colorless.integrations.flask.routing import Adapter, Map

# Guessed. A server has a few names; a client that invents them must not fill the memory.
_MAX_HOSTS = 256


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions. Without a secret key all requests share one empty, read-only session."""

    def __init__(self) -> None:
        self._none: NullSession | None = None

    def make_null_session(self, app: flask.Flask) -> NullSession:
        """As Flask's, but made once."""
        if self._none is None:
            self._none = super().make_null_session(app)
        return self._none


class Flask(flask.Flask):
    """A subclass of ``flask.Flask`` with the same arguments and behaviour, and less work for each
    request."""

    url_map_class = Map
    response_class = Response
    session_interface = Sessions()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, str], tuple[str, str]] = {}

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        """As Flask's, but a ``Host`` that was valid before is not validated again."""
        if request is None:
            return super().create_url_adapter(None)
        environ, config, rules = request.environ, self.config, self.url_map
        scheme = environ["wsgi.url_scheme"]
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if (
            not isinstance(rules, Map)
            or config["TRUSTED_HOSTS"] is not None
            or request.trusted_hosts is not None
            or config["SERVER_NAME"] is not None
            or self.subdomain_matching
            or rules.host_matching
            or scheme not in ("http", "https")
            or environ.get("SCRIPT_NAME")
            or "HTTP_UPGRADE" in environ
            or "HTTP_HOST" not in environ
            or not (path.startswith("/") and path.isascii() and query.isascii())
        ):
            return super().create_url_adapter(request)
        origin = (scheme, environ["HTTP_HOST"])
        known = self._hosts.get(origin)
        if known is None:
            return self._meet(origin, request)
        request.host, server_name = known
        return Adapter(
            rules,
            server_name,
            "/",
            rules.default_subdomain or "",
            scheme,
            path,
            environ["REQUEST_METHOD"],
            query,
        )

    def _meet(self, origin: tuple[str, str], request: flask.Request) -> MapAdapter | None:
        adapter = super().create_url_adapter(request)
        if adapter is not None and len(self._hosts) < _MAX_HOSTS:
            self._hosts[origin] = (request.host, adapter.server_name)
        return adapter

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As Flask's, but without its search for wrapped coroutines in a plain function that has no
        attributes."""
        if type(func) is not FunctionType or func.__dict__:
            return super().ensure_sync(func)
        return super().ensure_sync(func) if func.__code__.co_flags & CO_COROUTINE else func

    def make_response(self, rv: Any) -> flask.Response:
        """As Flask's, but a response is returned as it is, also one of Flask's own class or of a
        subclass: those that take the socket over (WebSockets) override how they are called."""
        if type(rv) is self.response_class:
            response: flask.Response = rv
            return response
        if isinstance(rv, flask.Response) and self.response_class is Response:
            return rv
        return super().make_response(rv)

    def preprocess_request(self, *context: Any) -> Any:
        """As Flask's, if the application has functions to run before a request."""
        if self.url_value_preprocessors or self.before_request_funcs:
            return super().preprocess_request(*context)
        return None

    def do_teardown_request(self, *context: Any, **error: Any) -> None:
        """As Flask's, if there are functions or signal receivers to run after a request."""
        if self.teardown_request_funcs or flask.request_tearing_down.receivers:
            super().do_teardown_request(*context, **error)
